/*
** A host that uses OpenSSL too: runs SQL with the module, and looks after each
** statement for what was left in OpenSSL's queue of errors, which a host's own
** TLS would take for its own.
**
**     build/unit/guest MODULE <SQL
**
** Reads one statement a line. Prints a line for each: the result code, and the
** reason of the first error left, or `clean`. The last line is of closing.
*/
#include <openssl/err.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* What is left in the queue; empties it. */
static const char *guestLeft(void) {
  const unsigned long e = ERR_peek_error();
  const char *z = e ? ERR_reason_error_string(e) : "clean";
  ERR_clear_error();
  return z ? z : "an error without a reason";
}

int main(int argc, char **argv) {
  static char zSql[1000000];
  sqlite3 *db = NULL;
  char *zErr = NULL;
  int rc;

  if( argc != 2 ) return 2;
  rc = sqlite3_open(":memory:", &db);
  if( rc == SQLITE_OK ) rc = sqlite3_enable_load_extension(db, 1);
  if( rc == SQLITE_OK ) rc = sqlite3_load_extension(db, argv[1], NULL, &zErr);
  printf("%d %s\n", rc, guestLeft());
  while( rc == SQLITE_OK && fgets(zSql, sizeof(zSql), stdin) ) {
    int rcSql = sqlite3_exec(db, zSql, NULL, NULL, &zErr);
    printf("%d %s\n", rcSql, guestLeft());
    if( rcSql ) fprintf(stderr, "%s%s\n", zSql, zErr);
    sqlite3_free(zErr);
    zErr = NULL;
  }
  sqlite3_free(zErr);
  rc = sqlite3_close(db);
  printf("%d %s\n", rc, guestLeft());
  return 0;
}
