/*
** The clocks of this machine.
*/
#include "base/base.h"

#include <time.h>

static int64_t clockMs(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t ledgerClockMs(void) {
  return clockMs(CLOCK_MONOTONIC);
}

int64_t ledgerClockWall(void) {
  return clockMs(CLOCK_REALTIME);
}
