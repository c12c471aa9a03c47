/*
** measure OUT ERR COMMAND...: runs a command, its output in two files, and
** prints one line
**
**     STATUS WALL CPU RSS
**
** STATUS is its exit status (128 + the signal that ended it), WALL and CPU are
** microseconds, CPU that of the command and of all that it waited for, RSS the
** most memory that one of them had at once, in KiB.
**
** A program of its own since a child begins with the peak memory of what it was
** forked from: here next to nothing.
*/
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t measureNow(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t measureMicro(struct timeval t) {
  return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

/* Lets fd write to a new file of that name, or ends the process. */
static void measureRedirect(const char *zFile, int fd) {
  int to = open(zFile, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if( to < 0 || dup2(to, fd) < 0 ) {
    perror(zFile);
    _exit(127);
  }
  close(to);
}

int main(int argc, char **argv) {
  struct rusage usage;
  int64_t us = measureNow();
  int status;
  pid_t pid;
  if( argc < 4 ) {
    fprintf(stderr, "usage: measure OUT ERR COMMAND...\n");
    return 2;
  }
  pid = fork();
  if( pid < 0 ) {
    perror("fork");
    return 1;
  }
  if( pid == 0 ) {
    measureRedirect(argv[1], STDOUT_FILENO);
    measureRedirect(argv[2], STDERR_FILENO);
    execvp(argv[3], argv + 3);
    perror(argv[3]);
    _exit(127);
  }
  if( wait4(pid, &status, 0, &usage) != pid ) {
    perror("wait4");
    return 1;
  }
  us = measureNow() - us;
  printf(
      "%d %lld %lld %ld\n",
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
      (long long)us,
      (long long)(measureMicro(usage.ru_utime) + measureMicro(usage.ru_stime)),
      usage.ru_maxrss);
  return 0;
}
