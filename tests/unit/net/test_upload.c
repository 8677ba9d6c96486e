#include "runner/net/upload.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "runner/base/file.h"

#define MINUTE 60000

static void it_bears_pauses_but_no_standstill(void **state)
{
	struct rate rate;

	(void)state;
	rate_init(&rate, 1000, 0);
	for (int64_t ms = 1000; ms < 1000 + MINUTE; ms += 1000)
		assert_false(rate_is_stalled(&rate, ms, 100, MINUTE));
	assert_true(rate_is_stalled(&rate, 1000 + MINUTE, 100, MINUTE));
	assert_true(rate_is_stalled(&rate, 1000 + 10 * MINUTE, 100, MINUTE));
}

static void it_lets_slow_but_steady_ones_go_on(void **state)
{
	struct rate rate;
	int64_t bytes = 0;

	(void)state;
	rate_init(&rate, 0, 0);
	for (int64_t ms = 0; ms < 60 * MINUTE; ms += 1000)
		assert_false(rate_is_stalled(&rate, ms, bytes += 1100, MINUTE));
}

static void it_ends_a_trickle(void **state)
{
	struct rate rate;
	int64_t ms = 0;

	(void)state;
	rate_init(&rate, 0, 0);
	while (!rate_is_stalled(&rate, ms, ms / 1000 * 900, MINUTE))
		ms += 1000;
	assert_in_range(ms, MINUTE, MINUTE + 5000);
}

static void it_forgives_after_a_burst(void **state)
{
	struct rate rate;

	(void)state;
	rate_init(&rate, 0, 0);
	assert_false(rate_is_stalled(&rate, 50000, 0, MINUTE));
	assert_false(rate_is_stalled(&rate, 59000, 1 << 20, MINUTE));
	assert_false(rate_is_stalled(&rate, 118000, 1 << 20, MINUTE));
	assert_true(rate_is_stalled(&rate, 119000, 1 << 20, MINUTE));
}

static void it_reads_in_pieces_and_from_the_start_again(void **state)
{
	char path[] = "/tmp/gridlane-test-XXXXXX", data[16] = "", sha256[65];
	int fd = mkstemp(path);
	struct upload *upload = NULL;
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(write(fd, "0123456789", 10), 10);
	assert_int_equal(upload_open(path, true, &upload, &err), 0);
	file_sha256_memory("0123456789", 10, sha256);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(upload_read(data, 1, 4, upload), 4);
		assert_string_equal(upload->sha256, "");
		assert_int_equal(upload_seek(upload, 0, SEEK_SET), CURL_SEEKFUNC_OK);
		assert_int_equal(upload_read(data, 2, 4, upload), 8);
		assert_int_equal(upload_read(data, 1, 16, upload), 2);
		assert_memory_equal(data, "89", 2);
		assert_string_equal(upload->sha256, sha256);
		assert_int_equal(upload_read(data, 1, 16, upload), 0);
		assert_int_equal(upload_seek(upload, 0, SEEK_SET), CURL_SEEKFUNC_OK);
	}
	assert_int_equal(upload_seek(upload, 5, SEEK_SET), CURL_SEEKFUNC_FAIL);
	assert_int_equal(upload_seek(upload, 0, SEEK_END), CURL_SEEKFUNC_FAIL);
	assert_int_equal(write(fd, "more", 4), 4);
	assert_int_equal(upload_read(data, 1, 4, upload), 4);
	assert_int_equal(upload_read(data, 1, 16, upload), CURL_READFUNC_ABORT);
	assert_int_equal(upload->error.failure, GR_CONFIG);
	assert_int_equal(ftruncate(fd, 4), 0);
	assert_int_equal(upload_read(data, 1, 16, upload), CURL_READFUNC_ABORT);
	upload_free(upload);
	upload_free(NULL);
	(void)close(fd);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_bears_pauses_but_no_standstill),
	        cmocka_unit_test(it_lets_slow_but_steady_ones_go_on),
	        cmocka_unit_test(it_ends_a_trickle),
	        cmocka_unit_test(it_forgives_after_a_burst),
	        cmocka_unit_test(it_reads_in_pieces_and_from_the_start_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
