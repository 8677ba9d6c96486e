/* Fuzz targets: each file is one, with libFuzzer's entry. Built with clang and -fsanitize=fuzzer by `./dev fuzz`;
 * everywhere else play.c gives it the files of its corpus. An input never makes a target fail but by abort(). */
#ifndef GRIDLANE_TESTS_FUZZ_FUZZ_H
#define GRIDLANE_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* What must hold, whatever the input. */
#define FUZZ_MUST(condition) ((condition) ? (void)0 : abort())

#endif
