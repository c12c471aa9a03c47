/*
** Makes tclsh a host that has called setlocale(), which it does not do for all
** categories. In Tcl:
**
**     load ./build/unit/locale.so Locale
**
** takes the locale from the environment, and fails where there is none of that
** name. Tcl's headers are not needed: of the interpreter nothing is asked.
*/
#include <locale.h>
#include <stddef.h>

int Locale_Init(void *pInterp);

__attribute__((visibility("default"))) int Locale_Init(void *pInterp) {
  (void)pInterp;
  return setlocale(LC_ALL, "") == NULL; /* TCL_ERROR is 1 */
}
