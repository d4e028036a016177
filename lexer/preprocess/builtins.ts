/**
 * The names behind `__builtin_` for which gcc 12's `__has_builtin` says 1, those of one machine's instructions aside.
 *
 * @module
 */

/** Names without `__builtin_`, separated by spaces. */
export const BUILTINS: string =
  "FILE FUNCTION LINE _Exit __clear_cache __fprintf_chk __memcpy_chk __memmove_chk __mempcpy_chk __memset_chk __printf_chk " +
  "__snprintf_chk __sprintf_chk __stpcpy_chk __stpncpy_chk __strcat_chk __strcpy_chk __strncat_chk __strncpy_chk " +
  "__vfprintf_chk __vprintf_chk __vsnprintf_chk __vsprintf_chk _exit abort abs acc_on_device acos acosf acosh acoshf acoshl " +
  "acosl add_overflow add_overflow_p adjust_descriptor adjust_trampoline aggregate_incoming_address aligned_alloc alloca " +
  "alloca_with_align alloca_with_align_and_max apply apply_args asin asinf asinh asinhf asinhl asinl assoc_barrier " +
  "assume_aligned atan atan2 atan2f atan2l atanf atanh atanhf atanhl atanl bcmp bcopy bswap128 bswap16 bswap32 bswap64 " +
  "bzero cabs cabsf cabsl cacos cacosf cacosh cacoshf cacoshl cacosl calloc carg cargf cargl casin casinf casinh casinhf " +
  "casinhl casinl catan catanf catanh catanhf catanhl catanl cbrt cbrtf cbrtl ccos ccosf ccosh ccoshf ccoshl ccosl ceil " +
  "ceilf ceilf128 ceilf16 ceilf32 ceilf32x ceilf64 ceilf64x ceill cexp cexpf cexpi cexpif cexpil cexpl choose_expr cimag " +
  "cimagf cimagl classify_type clear_padding clog clog10 clog10f clog10l clogf clogl clrsb clrsbimax clrsbl clrsbll clz " +
  "clzimax clzl clzll conj conjf conjl constant_p convertvector copysign copysignf copysignf128 copysignf16 copysignf32 " +
  "copysignf32x copysignf64 copysignf64x copysignl copysignq cos cosf cosh coshf coshl cosl cpow cpowf cpowl cproj cprojf " +
  "cprojl cpu_init cpu_is cpu_supports creal crealf creall csin csinf csinh csinhf csinhl csinl csqrt csqrtf csqrtl ctan " +
  "ctanf ctanh ctanhf ctanhl ctanl ctz ctzimax ctzl ctzll dcgettext dgettext drem dremf dreml dwarf_cfa dwarf_sp_column " +
  "dynamic_object_size eh_copy_values eh_filter eh_pointer eh_return eh_return_data_regno erf erfc erfcf erfcl erff erfl " +
  "execl execle execlp execv execve execvp exit exp exp10 exp10f exp10l exp2 exp2f exp2l expect expect_with_probability " +
  "expf expl expm1 expm1f expm1l extend_pointer extract_return_addr fabs fabsd128 fabsd32 fabsd64 fabsf fabsf128 fabsf16 " +
  "fabsf32 fabsf32x fabsf64 fabsf64x fabsl fabsq fdim fdimf fdiml feclearexcept fegetenv fegetexceptflag fegetround " +
  "feholdexcept feraiseexcept fesetenv fesetexceptflag fesetround fetestexcept feupdateenv ffs ffsimax ffsl ffsll finite " +
  "finited128 finited32 finited64 finitef finitel floor floorf floorf128 floorf16 floorf32 floorf32x floorf64 floorf64x " +
  "floorl fma fmaf fmaf128 fmaf16 fmaf32 fmaf32x fmaf64 fmaf64x fmal fmax fmaxf fmaxf128 fmaxf16 fmaxf32 fmaxf32x fmaxf64 " +
  "fmaxf64x fmaxl fmin fminf fminf128 fminf16 fminf32 fminf32x fminf64 fminf64x fminl fmod fmodf fmodl fork fpclassify " +
  "fprintf fprintf_unlocked fputc fputc_unlocked fputs fputs_unlocked frame_address free frexp frexpf frexpl " +
  "frob_return_addr fscanf fwrite fwrite_unlocked gamma gamma_r gammaf gammaf_r gammal gammal_r gettext has_attribute " +
  "huge_val huge_valf huge_valf128 huge_valf16 huge_valf32 huge_valf32x huge_valf64 huge_valf64x huge_vall huge_valq hypot " +
  "hypotf hypotl iceil iceilf iceill ifloor ifloorf ifloorl ilogb ilogbf ilogbl imaxabs index inf infd128 infd32 infd64 " +
  "inff inff128 inff16 inff32 inff32x inff64 inff64x infl infq init_descriptor init_dwarf_reg_size_table " +
  "init_heap_trampoline init_trampoline irint irintf irintl iround iroundf iroundl isalnum isalpha isascii isblank iscntrl " +
  "isdigit isfinite isgraph isgreater isgreaterequal isinf isinf_sign isinfd128 isinfd32 isinfd64 isinff isinfl isless " +
  "islessequal islessgreater islower isnan isnand128 isnand32 isnand64 isnanf isnanl isnormal isprint ispunct isspace " +
  "isunordered isupper iswalnum iswalpha iswblank iswcntrl iswdigit iswgraph iswlower iswprint iswpunct iswspace iswupper " +
  "iswxdigit isxdigit j0 j0f j0l j1 j1f j1l jn jnf jnl labs lceil lceilf lceill ldexp ldexpf ldexpl lfloor lfloorf lfloorl " +
  "lgamma lgamma_r lgammaf lgammaf_r lgammal lgammal_r llabs llceil llceilf llceill llfloor llfloorf llfloorl llrint " +
  "llrintf llrintl llround llroundf llroundl log log10 log10f log10l log1p log1pf log1pl log2 log2f log2l logb logbf logbl " +
  "logf logl longjmp lrint lrintf lrintl lround lroundf lroundl malloc memchr memcmp memcmp_eq memcpy memmove mempcpy " +
  "memset modf modff modfl ms_va_copy ms_va_end ms_va_start mul_overflow mul_overflow_p nan nand128 nand32 nand64 nanf " +
  "nanf128 nanf16 nanf32 nanf32x nanf64 nanf64x nanl nanq nans nansd128 nansd32 nansd64 nansf nansf128 nansf16 nansf32 " +
  "nansf32x nansf64 nansf64x nansl nansq nearbyint nearbyintf nearbyintf128 nearbyintf16 nearbyintf32 nearbyintf32x " +
  "nearbyintf64 nearbyintf64x nearbyintl next_arg nextafter nextafterf nextafterl nexttoward nexttowardf nexttowardl " +
  "nonlocal_goto object_size offsetof parity parityimax parityl parityll popcount popcountimax popcountl popcountll " +
  "posix_memalign pow pow10 pow10f pow10l powf powi powif powil powl prefetch printf printf_unlocked putc putc_unlocked " +
  "putchar putchar_unlocked puts puts_unlocked realloc remainder remainderf remainderl remquo remquof remquol return " +
  "return_address rindex rint rintf rintf128 rintf16 rintf32 rintf32x rintf64 rintf64x rintl round roundeven roundevenf " +
  "roundevenf128 roundevenf16 roundevenf32 roundevenf32x roundevenf64 roundevenf64x roundevenl roundf roundf128 roundf16 " +
  "roundf32 roundf32x roundf64 roundf64x roundl sadd_overflow saddl_overflow saddll_overflow saveregs scalb scalbf scalbl " +
  "scalbln scalblnf scalblnl scalbn scalbnf scalbnl scanf set_thread_pointer setjmp setjmp_receiver setjmp_setup shuffle " +
  "shufflevector signbit signbitd128 signbitd32 signbitd64 signbitf signbitl significand significandf significandl sin " +
  "sincos sincosf sincosl sinf sinh sinhf sinhl sinl smul_overflow smull_overflow smulll_overflow snprintf " +
  "speculation_safe_value speculation_safe_value_1 speculation_safe_value_16 speculation_safe_value_2 " +
  "speculation_safe_value_4 speculation_safe_value_8 speculation_safe_value_ptr sprintf sqrt sqrtf sqrtf128 sqrtf16 sqrtf32 " +
  "sqrtf32x sqrtf64 sqrtf64x sqrtl sscanf ssub_overflow ssubl_overflow ssubll_overflow stack_restore stack_save stpcpy " +
  "stpncpy strcasecmp strcat strchr strcmp strcmp_eq strcpy strcspn strdup strfmon strftime strlen strncasecmp strncat " +
  "strncmp strncmp_eq strncpy strndup strnlen strpbrk strrchr strspn strstr sub_overflow sub_overflow_p sysv_va_copy " +
  "sysv_va_end sysv_va_start tan tanf tanh tanhf tanhl tanl tgamma tgammaf tgammal thread_pointer toascii tolower toupper " +
  "towlower towupper trap trunc truncf truncf128 truncf16 truncf32 truncf32x truncf64 truncf64x truncl types_compatible_p " +
  "uadd_overflow uaddl_overflow uaddll_overflow umul_overflow umull_overflow umulll_overflow unreachable unwind_init " +
  "unwind_resume update_setjmp_buf usub_overflow usubl_overflow usubll_overflow va_arg_pack va_arg_pack_len va_copy va_end " +
  "va_start vfprintf vfscanf vprintf vscanf vsnprintf vsprintf vsscanf y0 y0f y0l y1 y1f y1l yn ynf ynl";
