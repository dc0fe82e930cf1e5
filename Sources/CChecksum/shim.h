#ifndef COMITY_CCHECKSUM_SHIM_H
#define COMITY_CCHECKSUM_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* CRC-32C by the instruction that some processors have for it: Swift cannot ask for one that not all have. */

#if defined(__x86_64__)
#include <cpuid.h>

/* Whether this processor has it. */
static inline int comity_has_crc32c(void) {
    unsigned int a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_2) != 0;
}

/* Takes `count` bytes into `checksum`; only where the processor has the instruction. */
__attribute__((target("sse4.2"))) static inline uint32_t comity_crc32c(
    uint32_t checksum, const void *bytes, size_t count) {
    const unsigned char *next = (const unsigned char *)bytes;
    uint64_t wide = checksum;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    checksum = (uint32_t)wide;
    for (; count > 0; count--, next++) checksum = __builtin_ia32_crc32qi(checksum, *next);
    return checksum;
}
#else
static inline int comity_has_crc32c(void) { return 0; }
static inline uint32_t comity_crc32c(uint32_t checksum, const void *bytes, size_t count) { return checksum; }
#endif

#endif
