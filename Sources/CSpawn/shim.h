#ifndef COMITY_CSPAWN_SHIM_H
#define COMITY_CSPAWN_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/types.h>

/* What glibc declares to programs that ask for GNU's own functions only; Swift does not. glibc 2.34 has them all. */
extern int pipe2(int ends[2], int flags);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
#define COMITY_SPAWN_SETSID 0x80

/* A pipe that no program inherits. Answers 0, or an errno. */
static inline int comity_pipe(int *from, int *into) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    *from = ends[0];
    *into = ends[1];
    return 0;
}

/* Runs the program `arguments[0]`, an absolute path, in `folder`, as the leader of a session of its own: `heard` is its
   standard input, `said` its output, /dev/null takes its errors, no other file is open. Its environment is empty, no signal
   is blocked, and none is ignored. `heard` and `said` are above 2. Answers 0 and its number, or an errno. */
static inline int comity_spawn(
    char *const arguments[], const char *folder, int heard, int said, pid_t *process) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    char *environment[] = {NULL};
    int result = posix_spawn_file_actions_init(&actions);
    if (result != 0) return result;
    result = posix_spawnattr_init(&attributes);
    if (result != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return result;
    }
    sigfillset(&all);
    sigemptyset(&none);
    if ((result = posix_spawn_file_actions_adddup2(&actions, heard, 0)) == 0 &&
        (result = posix_spawn_file_actions_adddup2(&actions, said, 1)) == 0 &&
        (result = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)) == 0 &&
        (result = posix_spawn_file_actions_addclosefrom_np(&actions, 3)) == 0 &&
        (result = posix_spawn_file_actions_addchdir_np(&actions, folder)) == 0 &&
        (result = posix_spawnattr_setsigdefault(&attributes, &all)) == 0 &&
        (result = posix_spawnattr_setsigmask(&attributes, &none)) == 0 &&
        (result = posix_spawnattr_setflags(
             &attributes, COMITY_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)) == 0)
        result = posix_spawn(process, arguments[0], &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

#endif
