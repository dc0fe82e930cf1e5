#ifndef C_ALLOCATIONS_H
#define C_ALLOCATIONS_H

#include <stdint.h>

/// How many blocks this thread has asked the heap for, and how many bytes in all, since it began.
typedef struct {
    uint64_t blocks;
    uint64_t bytes;
} allocations_t;

/// What this thread has asked for until now.
allocations_t allocations_now(void);

#endif
