/*
 * The gate's opponent (gate.ts): a blocked Bloom filter as one would write it in C, of the same size. 16 bits a key, blocks of 512
 * bits in one cache line, eight bits a key, one in each word of 64; four words at a time without a branch. c-filter.ts compiles and runs it.
 *
 *   blocked-filter KEYS PROBES SEED
 *
 * Makes the numbers that gate-numbers.ts makes of the same seed, adds the keys, and prints their hash and the nanoseconds an
 * addition took. Then, for each line on stdin, "traffic" or "present", it looks all of those up and prints nanoseconds a look-up,
 * how many it said "maybe" to, and how many of these are not keys.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BITS_PER_KEY 16
#define BLOCK_WORDS 8

static const uint32_t MULTIPLIERS[BLOCK_WORDS] = {
  1, 0x44974d91, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31, 0x47b6137b,
};

typedef struct {
  uint64_t *words;
  uint64_t blocks;
} Filter;

/* Pelle Evensen's and Jon Maiga's way of mixing 64 bits. */
static inline uint64_t mix(uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ull;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ull;
  return x ^ (x >> 32);
}

static inline uint64_t *block_of(const Filter *filter, uint64_t hash) {
  return filter->words + ((hash >> 32) * filter->blocks >> 32) * BLOCK_WORDS;
}

static inline uint32_t bit_of(uint64_t hash, int word) {
  return ((uint32_t)hash * MULTIPLIERS[word]) >> 26;
}

static inline void add(Filter *filter, uint64_t key) {
  uint64_t hash = mix(key);
  uint64_t *block = block_of(filter, hash);
  for (int i = 0; i < BLOCK_WORDS; i++) block[i] |= 1ull << bit_of(hash, i);
}

static inline int has(const Filter *filter, uint64_t key) {
  uint64_t hash = mix(key);
  const uint64_t *block = block_of(filter, hash);
  uint64_t found = 1;
  for (int i = 0; i < 4; i++) found &= block[i] >> bit_of(hash, i);
  if (found == 0) return 0;
  for (int i = 4; i < BLOCK_WORDS; i++) found &= block[i] >> bit_of(hash, i);
  return (int)found;
}

/* mulberry32, as bench/lib/seeded-random.ts. */
static double next_random(uint32_t *state) {
  *state += 0x6d2b79f5u;
  uint32_t x = (*state ^ (*state >> 15)) * (1u | *state);
  x = (x + (x ^ (x >> 7)) * (61u | x)) ^ x;
  return (x ^ (x >> 14)) / 4294967296.0;
}

static uint64_t below(uint32_t *state, uint64_t limit) {
  return (uint64_t)floor(next_random(state) * (double)limit);
}

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

static void *allocate(uint64_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (memory == NULL) exit(1);
  memset(memory, 0, bytes);
  return memory;
}

int main(int count, char **values) {
  if (count != 4) return 2;
  uint64_t keys = strtoull(values[1], NULL, 10), probes = strtoull(values[2], NULL, 10);
  uint32_t state = (uint32_t)strtoul(values[3], NULL, 10), keys_hash = 0x811c9dc5u;
  uint64_t *key = allocate(keys * 8), *traffic = allocate(probes * 8), *present = allocate(probes * 8);
  for (uint64_t i = 0; i < keys; i++) {
    key[i] = 79000000001ull + 2 * below(&state, 499999999);
    keys_hash = (keys_hash ^ (uint32_t)key[i]) * 0x01000193u;
  }
  for (uint64_t i = 0; i < probes; i++)
    traffic[i] = i % 50 == 0 ? key[below(&state, keys)] : 79000000000ull + 2 * below(&state, 499999999);
  for (uint64_t i = 0; i < probes; i++) present[i] = key[below(&state, keys)];

  Filter filter = {.blocks = (keys * BITS_PER_KEY + 511) / 512};
  filter.words = allocate(filter.blocks * BLOCK_WORDS * 8);
  double start = now_ns();
  for (uint64_t i = 0; i < keys; i++) add(&filter, key[i]);
  printf("%u %.2f\n", keys_hash, (now_ns() - start) / keys);
  fflush(stdout);

  char line[32];
  while (fgets(line, sizeof line, stdin) != NULL) {
    const uint64_t *numbers = strncmp(line, "present", 7) == 0 ? present : traffic;
    uint64_t maybes = 0, wrong = 0;
    start = now_ns();
    for (uint64_t i = 0; i < probes; i++) maybes += has(&filter, numbers[i]);
    double ns = (now_ns() - start) / probes;
    /* Keys are odd, other numbers even. */
    for (uint64_t i = 0; i < probes; i++) wrong += numbers[i] % 2 == 0 && has(&filter, numbers[i]);
    printf("%.3f %llu %llu\n", ns, (unsigned long long)maybes, (unsigned long long)wrong);
    fflush(stdout);
  }
  return 0;
}
