/*
 * A fuzz target is one function over bytes, by libFuzzer's name, that aborts when a promise is
 * broken. libFuzzer's main looks for such bytes (scripts/fuzz); replay.c's only tries those that
 * are known, with any compiler.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
