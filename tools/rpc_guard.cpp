/*
 * What a process needs that is to outlive the servers of ggml's RPC backend, and one that serves and is to stop: linked with the backend.
 *
 * The backend has a thread a connection, which sends and receives, and whoever wants an answer waits for that thread. If the connection is
 * lost the thread calls ggml_abort, on which a process ends; and if it doesn't, whoever waits does so for ever. Here that thread goes to
 * sleep instead, and it is who waits that calls ggml_abort: that is a call of JavaScript's, of which ffi/native/trap.c makes an Error.
 *
 * All of it is put between the backend and the functions that it calls (`--wrap` of GNU's linker and of LLVM's): of the C library, and of
 * libstdc++, which is why this is for Linux only, with any compiler that takes that library. Which function does what for the backend was seen in what its object files import; none of
 * its sources is changed.
 */

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>

#ifndef __GLIBCXX__
#error "the RPC backend is built with GNU's C++ library: with another the functions named here would be wrapped in vain"
#endif

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "ggml-impl.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

/* ---- Connections: a thread of the backend's each, and the queue that it takes its messages from. ---- */

/* A server, for ever: its address and port, and for how long an answer of it is waited for. */
struct peer {
    char name[64];
    std::atomic<int> limit_ms; /* -1: for ever */
    peer *next;
};
static std::atomic<peer *> peers{nullptr};

struct connection {
    pthread_t thread;
    peer *to; /* null of a thread that connected to nobody */
    /* The server has said nothing for as long as it may: that is why it is lost. */
    std::atomic<bool> silent;
    /* The queue's condition variable; null until the thread has waited for a message. */
    std::atomic<const void *> queue;
    /* Waiting for a message: it has done all that it was told. */
    std::atomic<bool> idle;
    std::atomic<bool> lost;
    connection *next;
};

/* They are added and never taken away: a lost one's thread sleeps until the process ends. */
static std::atomic<connection *> connections{nullptr};
static std::atomic<int> losses{0};

/* Whom this thread connected to last, and the limit of whom it connects to next; -2: as it was, or by default none. */
static thread_local peer *last_peer;
enum { FOR_EVER = -1, AS_BEFORE = -2 };
static thread_local int next_limit_ms = AS_BEFORE;
/* The queue that this thread put something into last. */
static thread_local const void *last_queue;

static connection *own_connection() {
    pthread_t self = pthread_self();
    for (connection *c = connections.load(); c != nullptr; c = c->next) {
        if (pthread_equal(c->thread, self)) return c;
    }
    return nullptr;
}

static connection *connection_of(const void *queue) {
    for (connection *c = connections.load(); c != nullptr; c = c->next) {
        if (c->queue.load() == queue) return c;
    }
    return nullptr;
}

static connection *any_lost() {
    for (connection *c = connections.load(); c != nullptr; c = c->next) {
        if (c->lost.load()) return c;
    }
    return nullptr;
}

#define START_THREAD(prefix) prefix##_ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE
extern "C" void START_THREAD(__real_)(std::thread *, void *, void (*)());
/* The constructor of std::thread. The thread has nothing to do until this one gives it a message, which is later. */
extern "C" void START_THREAD(__wrap_)(std::thread *thread, void *state, void (*depend)()) {
    START_THREAD(__real_)(thread, state, depend);
    connection *c = new connection{};
    c->thread = thread->native_handle();
    c->to = last_peer;
    c->next = connections.load();
    while (!connections.compare_exchange_weak(c->next, c)) {}
}

extern "C" void __real__ZNSt6thread4joinEv(std::thread *);
/* A thread that sleeps for ever isn't waited for. */
extern "C" void __wrap__ZNSt6thread4joinEv(std::thread *thread) {
    for (connection *c = connections.load(); c != nullptr; c = c->next) {
        if (pthread_equal(c->thread, thread->native_handle()) && c->lost.load()) return thread->detach();
    }
    __real__ZNSt6thread4joinEv(thread);
}

extern "C" void __real__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(void *, void *);
/* The connection's thread waits for a message. */
extern "C" void __wrap__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(void *queue, void *lock) {
    connection *own = own_connection();
    if (own != nullptr) {
        own->queue = queue;
        own->idle = true;
    }
    __real__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(queue, lock);
    if (own != nullptr) own->idle = false;
}

extern "C" void __real__ZNSt18condition_variable10notify_allEv(void *);
/* Somebody has put a message into a queue. */
extern "C" void __wrap__ZNSt18condition_variable10notify_allEv(void *queue) {
    last_queue = queue;
    __real__ZNSt18condition_variable10notify_allEv(queue);
}

/* ---- Waiting for a connection's thread. ---- */

#define WAIT(prefix) prefix##_ZNSt28__atomic_futex_unsigned_base19_M_futex_wait_untilEPjjbNSt6chrono8durationIlSt5ratioILl1ELl1EEEENS2_IlS3_ILl1ELl1000000000EEEE
extern "C" bool WAIT(__real_)(void *, unsigned *, unsigned, bool, long, long);

/* How often who waits looks whether the connection is still there, in nanoseconds. */
static const long SLICE = 50 * 1000 * 1000;

/*
 * The lost connection for which an answer will never come; null while it may. An event is waited for without a message before it, so that
 * the queue may be another connection's: if that one has done all that it was told, and the answer isn't there, it isn't the one that is
 * waited for.
 */
static connection *given_up(unsigned *word, unsigned value) {
    if (losses.load() == 0) return nullptr;
    connection *c = connection_of(last_queue);
    if (c != nullptr && c->lost.load()) return c;
    if (c != nullptr && !c->idle.load()) return nullptr;
    return __atomic_load_n(word, __ATOMIC_ACQUIRE) == value ? any_lost() : nullptr;
}

/* A future's: waits while `*word` is `value`. */
extern "C" bool WAIT(__wrap_)(void *self, unsigned *word, unsigned value, bool timed, long seconds, long nanoseconds) {
    if (timed) return WAIT(__real_)(self, word, value, timed, seconds, nanoseconds);
    for (;;) {
        timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        now.tv_nsec += SLICE;
        if (now.tv_nsec >= 1000000000) {
            now.tv_sec++;
            now.tv_nsec -= 1000000000;
        }
        if (WAIT(__real_)(self, word, value, true, now.tv_sec, now.tv_nsec)) return true;
        connection *lost = given_up(word, value);
        if (lost == nullptr) continue;
        const char *name = lost->to == nullptr ? "?" : lost->to->name;
        if (lost->silent.load()) GGML_ABORT("the RPC server at %s has not answered for %d ms", name, lost->to->limit_ms.load());
        GGML_ABORT("the connection to the RPC server at %s is lost", name);
    }
}

/* ---- The network. ---- */

/* Where this process serves, for who would end that. There is one server in a process. */
static struct {
    std::mutex mutex;
    int listener = -1;
    int client = -1;
    int port = 0;
    bool stopping = false;
} server;

/* True on the thread that serves. */
static thread_local bool serving;

/* How long a machine that doesn't answer is waited for: until it is connected to and says hello, and when it has gone since. */
static const int CONNECT_MS = 10000, IDLE_S = 10, INTERVAL_S = 5, PROBES = 3;

static bool readable_in_time(int fd) {
    pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, CONNECT_MS) == 1;
}

/* How long the other side of a connection may say nothing while something is to come, or take nothing. */
static int limit_of(const connection *own) { return own == nullptr || own->to == nullptr ? FOR_EVER : own->to->limit_ms.load(); }

/* Nothing more is said to a server that was silent for too long: it may take another client. */
static void hang_up(connection *own, int fd) {
    own->silent = true;
    shutdown(fd, SHUT_RDWR);
}

static bool readable_for(connection *own, int fd) {
    pollfd one = {fd, POLLIN, 0};
    int ready;
    do ready = poll(&one, 1, limit_of(own));
    while (ready < 0 && errno == EINTR);
    if (ready == 0) hang_up(own, fd);
    return ready != 0;
}

static void lose(connection *own) {
    own->lost = true;
    losses++;
    for (;;) pause();
}

extern "C" ssize_t __real_recv(int, void *, size_t, int);
/* A server has one client at a time, and says nothing to others: whoever connects doesn't wait for that for ever. */
extern "C" ssize_t __wrap_recv(int fd, void *data, size_t size, int flags) {
    connection *own = own_connection();
    if (own == nullptr && !serving && !readable_in_time(fd)) return -1;
    if (own != nullptr && !readable_for(own, fd)) lose(own);
    ssize_t count;
    do count = __real_recv(fd, data, size, flags);
    while (count < 0 && errno == EINTR);
    if (count <= 0 && own != nullptr) lose(own);
    return count;
}

extern "C" ssize_t __real_send(int, const void *, size_t, int);
/* Without a signal where the other side is gone. */
extern "C" ssize_t __wrap_send(int fd, const void *data, size_t size, int flags) {
    connection *own = own_connection();
    int limit = limit_of(own);
    if (limit > 0) {
        timeval time = {limit / 1000, limit % 1000 * 1000};
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    }
    ssize_t count;
    do count = __real_send(fd, data, size, flags | MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    if (count >= 0) return count;
    if (own != nullptr) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) hang_up(own, fd);
        lose(own);
    }
    return count;
}

extern "C" int __real_connect(int, const sockaddr *, socklen_t);
static bool connect_in_time(int fd, const sockaddr *address, socklen_t length) {
    int flags = fcntl(fd, F_GETFL), error = 0;
    socklen_t size = sizeof error;
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    bool connected = __real_connect(fd, address, length) == 0;
    if (!connected && errno == EINPROGRESS) {
        pollfd one = {fd, POLLOUT, 0};
        connected = poll(&one, 1, CONNECT_MS) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
    }
    fcntl(fd, F_SETFL, flags);
    return connected;
}

/* The server of that name; it is added if need be. */
static peer *peer_named(const char *name) {
    for (peer *p = peers.load(); p != nullptr; p = p->next) {
        if (strcmp(p->name, name) == 0) return p;
    }
    peer *p = new peer{};
    snprintf(p->name, sizeof p->name, "%s", name);
    p->limit_ms = FOR_EVER;
    p->next = peers.load();
    while (!peers.compare_exchange_weak(p->next, p)) {}
    return p;
}

/* Says how long the server that this thread connects to next may take for an answer, in milliseconds; -1: for ever, -2: as before. */
EXPORT void ggml_backend_rpc_guard_limit(int ms) { next_limit_ms = ms; }

extern "C" int __wrap_connect(int fd, const sockaddr *address, socklen_t length) {
    if (!connect_in_time(fd, address, length)) return -1;
    const sockaddr_in *in = (const sockaddr_in *)address;
    char host[INET_ADDRSTRLEN] = "", name[64];
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    snprintf(name, sizeof name, "%s:%d", host, ntohs(in->sin_port));
    last_peer = peer_named(name);
    if (next_limit_ms != AS_BEFORE) last_peer->limit_ms = next_limit_ms;
    int on = 1, user_timeout = 1000 * (IDLE_S + INTERVAL_S * PROBES);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &IDLE_S, sizeof IDLE_S);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &INTERVAL_S, sizeof INTERVAL_S);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &PROBES, sizeof PROBES);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof user_timeout);
    return 0;
}

/* ---- Serving. ---- */

extern "C" int __real_listen(int, int);
extern "C" int __wrap_listen(int fd, int backlog) {
    int result = __real_listen(fd, backlog);
    sockaddr_in address = {};
    socklen_t size = sizeof address;
    serving = true;
    if (result != 0 || getsockname(fd, (sockaddr *)&address, &size) != 0) return result;
    std::lock_guard<std::mutex> lock(server.mutex);
    server.listener = fd;
    server.port = ntohs(address.sin_port);
    return result;
}

extern "C" int __real_accept(int, sockaddr *, socklen_t *);
extern "C" int __wrap_accept(int fd, sockaddr *address, socklen_t *length) {
    int client;
    do client = __real_accept(fd, address, length);
    while (client < 0 && (errno == EINTR || errno == ECONNABORTED));
    std::lock_guard<std::mutex> lock(server.mutex);
    if (server.stopping && client >= 0) shutdown(client, SHUT_RDWR);
    server.client = client;
    return client;
}

extern "C" int __real_close(int);
extern "C" int __wrap_close(int fd) {
    {
        std::lock_guard<std::mutex> lock(server.mutex);
        if (fd == server.client) server.client = -1;
        if (fd == server.listener) server.listener = -1;
    }
    return __real_close(fd);
}

/* The port that this process listens on, 0 if none. */
EXPORT int ggml_backend_rpc_guard_port() {
    std::lock_guard<std::mutex> lock(server.mutex);
    return server.listener < 0 ? 0 : server.port;
}

/* Before a server is started. */
EXPORT void ggml_backend_rpc_guard_begin() {
    std::lock_guard<std::mutex> lock(server.mutex);
    server.stopping = false;
    server.port = 0;
}

/* Has the server drop its client and listen no more: then ggml_backend_rpc_start_server returns. */
EXPORT void ggml_backend_rpc_guard_stop() {
    std::lock_guard<std::mutex> lock(server.mutex);
    server.stopping = true;
    if (server.client >= 0) shutdown(server.client, SHUT_RDWR);
    if (server.listener >= 0) shutdown(server.listener, SHUT_RDWR);
}

/* ---- What the server prints is logged instead. ---- */

static void logged(ggml_log_level level, const char *format, va_list arguments) {
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    ggml_log_internal(level, "%s", text);
}

extern "C" int __wrap_printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    logged(GGML_LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
    return 0;
}

extern "C" int __wrap_fprintf(FILE *, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bool stopping;
    {
        std::lock_guard<std::mutex> lock(server.mutex);
        stopping = server.stopping; /* then that no client can be accepted is no error */
    }
    logged(stopping ? GGML_LOG_LEVEL_DEBUG : GGML_LOG_LEVEL_ERROR, format, arguments);
    va_end(arguments);
    return 0;
}
