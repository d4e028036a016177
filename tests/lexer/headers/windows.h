/* What Windows headers write; read for x86_64-windows. */
#ifdef _WIN32
typedef unsigned __int64 QWORD;
typedef long LONG;
typedef void *HANDLE;
typedef LONG (__stdcall *WNDPROC)(HANDLE, unsigned, QWORD, __int64);
__declspec(dllimport) HANDLE __stdcall OpenThing(const unsigned short *);
#else
typedef int LONG;
#endif
struct sizes { char c; LONG l; };
