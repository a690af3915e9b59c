/*
 * The engine's memory. It asks for very many small pieces, most of them for as long as the program runs. musl's allocator looks after
 * each of them, and maps and unmaps page by page, which takes a third of a program's start. Here a piece is cut off a chunk, and one
 * that is freed is the next of its size. Large ones are musl's.
 *
 * Before each piece is its class: its size in steps, or 0 for a large one. Pieces are aligned as malloc's are.
 */
#define _GNU_SOURCE
#include "heap.h"
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { STEP = 16, CLASSES = 64, CHUNK_BYTES = 1 << 17, LARGE = 0 };
/* What the engine reckons with for a piece, beside its size. */
enum { OVERHEAD = 8 };

typedef uint64_t class_t;

static void *freed[CLASSES + 1];
static char *rest, *end;

static class_t *class_of(const void *piece) { return (class_t *)piece - 1; }

static size_t usable(const void *piece) {
  if (!piece) return 0;
  class_t class = *class_of(piece);
  return class == LARGE ? malloc_usable_size((char *)piece - STEP) - STEP : class * STEP - sizeof(class_t);
}

static void *take_large(void *old, size_t size) {
  char *whole = size > SIZE_MAX - STEP ? NULL : realloc(old ? (char *)old - STEP : NULL, size + STEP);
  if (!whole) return NULL;
  *class_of(whole + STEP) = LARGE;
  return whole + STEP;
}

/* Its pages come at once: each by itself would be a fault. */
static int add_chunk(void) {
  char *chunk = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (chunk == MAP_FAILED) return -1;
  rest = chunk + STEP - sizeof(class_t);
  end = chunk + CHUNK_BYTES;
  return 0;
}

static void *take(size_t size) {
  size_t class = size / STEP + 1 + (size % STEP > STEP - sizeof(class_t));
  if (class > CLASSES) return take_large(NULL, size);
  void *piece = freed[class];
  if (piece) {
    memcpy(&freed[class], piece, sizeof(void *));
    return piece;
  }
  if ((size_t)(end - rest) < class * STEP && add_chunk()) return NULL;
  piece = rest + sizeof(class_t);
  *class_of(piece) = class;
  rest += class * STEP;
  return piece;
}

static void give(void *piece) {
  class_t class = *class_of(piece);
  if (class == LARGE) {
    free((char *)piece - STEP);
    return;
  }
  memcpy(piece, &freed[class], sizeof(void *));
  freed[class] = piece;
}

static void *heap_malloc(JSMallocState *state, size_t size) {
  void *piece = size == 0 ? NULL : take(size);
  if (!piece) return NULL;
  state->malloc_count++;
  state->malloc_size += usable(piece) + OVERHEAD;
  return piece;
}

static void heap_free(JSMallocState *state, void *piece) {
  if (!piece) return;
  state->malloc_count--;
  state->malloc_size -= usable(piece) + OVERHEAD;
  give(piece);
}

static void *moved(void *piece, size_t held, size_t size) {
  void *larger = take(size);
  if (!larger) return NULL;
  memcpy(larger, piece, held < size ? held : size);
  give(piece);
  return larger;
}

static void *heap_realloc(JSMallocState *state, void *piece, size_t size) {
  if (!piece) return heap_malloc(state, size);
  if (size == 0) {
    heap_free(state, piece);
    return NULL;
  }
  size_t held = usable(piece);
  int large = *class_of(piece) == LARGE;
  if (!large && size <= held) return piece;
  void *other = large && size > CLASSES * STEP ? take_large(piece, size) : moved(piece, held, size);
  if (other) state->malloc_size += usable(other) - held;
  return other;
}

const JSMallocFunctions heap_functions = {heap_malloc, heap_free, heap_realloc, usable};
