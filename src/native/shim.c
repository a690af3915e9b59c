/*
 * The C half of a compiled program, beside its memory (heap.c): it starts the engine, gives JavaScript one object, `native`,
 * and evaluates the program's bytecode. Everything else is TypeScript over native.syscall.
 *
 * `program` (bytecode) and `line_map` (bundle line to source line) are generated beside this file.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "heap.h"
#include "quickjs.h"

extern const uint8_t program[];
extern const uint32_t program_size;
extern const char line_map[];
extern char **environ;

enum { MAX_ARGUMENTS = 7, STACK_BYTES = 1 << 20, EXIT_UNCAUGHT = 125 };
/* Cycles are looked for when there is more than this; what is in none goes at once. Programs start below it. */
enum { FIRST_GC_BYTES = 1 << 21 };

/*
 * The memory of a typed array or an ArrayBuffer; it does not move for as long as the object lives. The engine answers the wrong
 * question with an exception, stack trace and all: typed arrays, which is what most callers have, are asked for first.
 */
static uint8_t *memory_of(JSContext *ctx, JSValueConst value, size_t *length) {
  size_t whole, offset, per_element;
  JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, length, &per_element);
  if (JS_IsException(buffer)) {
    JS_FreeValue(ctx, JS_GetException(ctx));
    return JS_GetArrayBuffer(ctx, length, value);
  }
  uint8_t *data = JS_GetArrayBuffer(ctx, &whole, buffer);
  JS_FreeValue(ctx, buffer);
  return data ? data + offset : NULL;
}

/* One machine word of a call. A string's copy is handed back in *owned and freed after the call. */
static int to_word(JSContext *ctx, JSValueConst value, long *word, const char **owned) {
  size_t length;
  int64_t number;
  if (JS_IsNull(value) || JS_IsUndefined(value)) {
    *word = 0;
  } else if (JS_IsString(value)) {
    if (!(*owned = JS_ToCStringLen(ctx, &length, value))) return -1;
    if (memchr(*owned, 0, length)) {
      /* The kernel would act on a shorter name than the one that was checked. */
      JS_ThrowTypeError(ctx, "a string for the kernel holds a NUL");
      return -1;
    }
    *word = (long)*owned;
  } else if (JS_IsObject(value)) {
    uint8_t *data = memory_of(ctx, value, &length);
    if (!data && JS_HasException(ctx)) return -1;
    *word = (long)data;
  } else {
    if (JS_ToInt64(ctx, &number, value)) return -1;
    *word = number;
  }
  return 0;
}

/* syscall(nr, ...up to six): the result, or -errno. */
static JSValue native_syscall(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  long w[MAX_ARGUMENTS] = {0}, result = -EINVAL;
  const char *owned[MAX_ARGUMENTS] = {0};
  int failed = argc > MAX_ARGUMENTS ? -1 : 0;
  if (failed) JS_ThrowTypeError(ctx, "a system call takes at most six arguments");
  for (int i = 0; i < argc && !failed; i++) failed = to_word(ctx, argv[i], &w[i], &owned[i]);
  if (!failed) {
    result = syscall(w[0], w[1], w[2], w[3], w[4], w[5], w[6]);
    if (result == -1) result = -errno;
  }
  for (int i = 0; i < MAX_ARGUMENTS; i++)
    if (owned[i]) JS_FreeCString(ctx, owned[i]);
  return failed ? JS_EXCEPTION : JS_NewInt64(ctx, result);
}

/* address(buffer): where its bytes are, for pointers inside structures. */
static JSValue native_address(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  size_t length;
  uint8_t *data = memory_of(ctx, argv[0], &length);
  return !data && JS_HasException(ctx) ? JS_EXCEPTION : JS_NewInt64(ctx, (int64_t)(uintptr_t)data);
}

static JSValue native_encode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  size_t length;
  const char *text = JS_ToCStringLen(ctx, &length, argv[0]);
  if (!text) return JS_EXCEPTION;
  JSValue bytes = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, length);
  JS_FreeCString(ctx, text);
  return bytes;
}

static JSValue native_decode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  size_t length;
  uint8_t *data = memory_of(ctx, argv[0], &length);
  if (!data && JS_HasException(ctx)) return JS_EXCEPTION;
  return JS_NewStringLen(ctx, (const char *)data, length);
}

/* runJob(): runs one waiting promise job; false when there was none. */
static JSValue native_run_job(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  JSContext *job;
  int ran = JS_ExecutePendingJob(JS_GetRuntime(ctx), &job);
  return ran < 0 ? JS_EXCEPTION : JS_NewBool(ctx, ran);
}

/* lineMap(): decoded on demand, so that it costs no memory until something goes wrong. */
static JSValue native_line_map(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return JS_NewString(ctx, line_map);
}

/* Calls native[name], which the prelude defines. */
static JSValue call_hook(JSContext *ctx, const char *name, int argc, JSValueConst *argv) {
  JSValue global = JS_GetGlobalObject(ctx), native = JS_GetPropertyStr(ctx, global, "native");
  JSValue hook = JS_GetPropertyStr(ctx, native, name), result = JS_Call(ctx, hook, native, argc, argv);
  JS_FreeValue(ctx, hook);
  JS_FreeValue(ctx, native);
  JS_FreeValue(ctx, global);
  return result;
}

static void on_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, int handled, void *opaque) {
  JSValueConst argv[] = {promise, reason, JS_NewBool(ctx, handled)};
  JS_FreeValue(ctx, call_hook(ctx, "rejection", 3, argv));
}

/* The prelude prints the error with TypeScript lines; should that fail, the bare message must do. */
static int die_uncaught(JSContext *ctx) {
  JSValueConst error = JS_GetException(ctx);
  if (JS_IsException(call_hook(ctx, "uncaught", 1, &error))) {
    const char *text = JS_ToCString(ctx, error);
    dprintf(2, "uncaught: %s\n", text ? text : "unprintable error");
  }
  return EXIT_UNCAUGHT;
}

static JSValue string_list(JSContext *ctx, char **texts) {
  JSValue list = JS_NewArray(ctx);
  for (uint32_t i = 0; texts[i]; i++) JS_SetPropertyUint32(ctx, list, i, JS_NewString(ctx, texts[i]));
  return list;
}

static void install_native(JSContext *ctx, char **argv) {
  static const JSCFunctionListEntry functions[] = {
      JS_CFUNC_DEF("syscall", 1, native_syscall), JS_CFUNC_DEF("address", 1, native_address),
      JS_CFUNC_DEF("encode", 1, native_encode),   JS_CFUNC_DEF("decode", 1, native_decode),
      JS_CFUNC_DEF("runJob", 0, native_run_job),  JS_CFUNC_DEF("lineMap", 0, native_line_map),
  };
  JSValue global = JS_GetGlobalObject(ctx), native = JS_NewObject(ctx);
  JS_SetPropertyFunctionList(ctx, native, functions, sizeof functions / sizeof *functions);
  JS_SetPropertyStr(ctx, native, "argv", string_list(ctx, argv));
  JS_SetPropertyStr(ctx, native, "environ", string_list(ctx, environ));
  JS_SetPropertyStr(ctx, global, "native", native);
  JS_FreeValue(ctx, global);
}

/* Nothing is freed at the end: the kernel does it faster. */
int main(int argc, char **argv) {
  JSRuntime *runtime = JS_NewRuntime2(&heap_functions, NULL);
  JSContext *ctx = runtime ? JS_NewContextRaw(runtime) : NULL;
  if (!ctx) return EXIT_UNCAUGHT;
  JS_SetMaxStackSize(runtime, STACK_BYTES);
  JS_SetGCThreshold(runtime, FIRST_GC_BYTES);
  JS_AddIntrinsicBaseObjects(ctx);
  JS_AddIntrinsicDate(ctx);
  JS_AddIntrinsicRegExpCompiler(ctx);
  JS_AddIntrinsicRegExp(ctx);
  JS_AddIntrinsicJSON(ctx);
  JS_AddIntrinsicMapSet(ctx);
  JS_AddIntrinsicTypedArrays(ctx);
  JS_AddIntrinsicPromise(ctx);
  install_native(ctx, argv);
  JS_SetHostPromiseRejectionTracker(runtime, on_rejection, NULL);
  JSValue bytecode = JS_ReadObject(ctx, program, program_size, JS_READ_OBJ_BYTECODE | JS_READ_OBJ_ROM_DATA);
  /* A module: of a script, every function would search through all variables of the bundle for those it uses. */
  if (JS_IsException(bytecode) || JS_ResolveModule(ctx, bytecode) < 0) return die_uncaught(ctx);
  if (JS_IsException(JS_EvalFunction(ctx, bytecode))) return die_uncaught(ctx);
  if (JS_IsException(call_hook(ctx, "settle", 0, NULL))) return die_uncaught(ctx);
  return 0;
}
