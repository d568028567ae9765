/* Debian's libuv_a.a is compiled for programs (PIE), not for shared objects: three of libc's data symbols are reached
 * in a way that the linker refuses inside a `.node`. This file gives the addon hidden copies of the three. They are
 * kept honest as follows:
 *   environ      libuv assigns to it in a forked child before execvp(); until then it is null, which means "libc's own".
 *   execvp       passes that environment on, so that uv_spawn() with an environment works.
 *   stderr       libuv prints with it when it is about to abort; it is libc's own stream.
 *   in6addr_any  a constant.
 * uv_os_environ() would read a null environ: it must not be called in this project. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* The same objects under names of libc's that no header declares. */
extern char **libc_environ __asm__("__environ");
extern char libc_stderr_object __asm__("_IO_2_1_stderr_");

#undef stderr
HIDDEN FILE *stderr = (FILE *)&libc_stderr_object;
HIDDEN char **environ = 0;
HIDDEN const struct in6_addr in6addr_any = IN6ADDR_ANY_INIT;

HIDDEN int execvp(const char *file, char *const argv[]) {
  return execvpe(file, argv, environ != 0 ? environ : libc_environ);
}
