#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "reporters/bundle_feed.h"
#include "runner/base/digest.h"
#include "tests/unit/reporters/sample.h"

#define LARGE_BYTES 3000001 /* of more pieces than can be waiting */

struct fixture {
	struct folder folder;
	struct member members[3];
	struct member_list list;
	char *large;
};

static void set_up(struct fixture *fixture)
{
	static const char *const names[] = {"a/empty.log", "b.log", "large.mp4"};
	const char *contents[] = {"", "line\n", NULL};

	*fixture = (struct fixture){0};
	fixture->large = gr_alloc(LARGE_BYTES + 1, 1);
	for (size_t i = 0; i < LARGE_BYTES; i++)
		fixture->large[i] = (char)('a' + i / 1000 % 26);
	contents[2] = fixture->large;
	folder_make(&fixture->folder);
	for (size_t i = 0; i < GR_COUNT(names); i++) {
		folder_write(&fixture->folder, names[i], contents[i]);
		fixture->members[i] =
		        (struct member){.path = gr_strdup(names[i]), .bytes = (int64_t)strlen(contents[i])};
	}
	fixture->list = (struct member_list){.items = fixture->members, .count = GR_COUNT(names)};
}

static void tear_down(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->list.count; i++)
		gr_free(fixture->members[i].path);
	folder_remove(&fixture->folder);
	gr_free(fixture->large);
}

static struct feed *begin(struct fixture *fixture)
{
	return feed_begin(fixture->folder.handle, &fixture->list);
}

/* All of one member, as the feed gives it. */
static void expect_member(struct feed *feed, const char *content)
{
	GR_AUTO_BUFFER struct buffer all = {0};
	struct gr_error err = {0};
	struct piece piece = {0};

	while (!piece.is_last) {
		assert_int_equal(feed_take(feed, &piece, &err), 0);
		buffer_add(&all, piece.data, piece.bytes);
	}
	assert_int_equal(all.bytes, strlen(content));
	assert_memory_equal(buffer_text(&all), content, all.bytes);
}

static void expect_hash(const struct member *member, const char *content)
{
	struct digest *digest = digest_new();
	char hex[DIGEST_TEXT_BYTES];

	digest_add(digest, content, strlen(content));
	digest_end(digest, hex);
	digest_free(digest);
	assert_string_equal(member->sha256, hex);
}

static void expect_all(struct fixture *fixture)
{
	struct feed *feed = begin(fixture);

	expect_member(feed, "");
	expect_member(feed, "line\n");
	expect_member(feed, fixture->large);
	feed_end(feed);
	expect_hash(&fixture->members[0], "");
	expect_hash(&fixture->members[1], "line\n");
	expect_hash(&fixture->members[2], fixture->large);
}

static void it_gives_the_members_in_turn_and_their_hashes(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	expect_all(&fixture);
	tear_down(&fixture);
}

static void *do_nothing(void *context)
{
	return context;
}

static void it_does_the_same_where_no_thread_can_be_had(void **state)
{
	struct fixture fixture;
	pthread_attr_t before, huge;
	pthread_t thread;

	(void)state;
	set_up(&fixture);
	assert_int_equal(pthread_getattr_default_np(&before), 0);
	assert_int_equal(pthread_attr_init(&huge), 0);
	assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 50), 0); /* more than there are addresses */
	assert_int_equal(pthread_setattr_default_np(&huge), 0);
	assert_int_not_equal(pthread_create(&thread, NULL, do_nothing, NULL), 0);
	expect_all(&fixture);
	assert_int_equal(pthread_setattr_default_np(&before), 0);
	(void)pthread_attr_destroy(&huge);
	(void)pthread_attr_destroy(&before);
	tear_down(&fixture);
}

static void expect_failure(struct fixture *fixture, const char *words)
{
	struct feed *feed = begin(fixture);
	struct gr_error err = {0};
	struct piece piece;

	expect_member(feed, "");
	assert_int_equal(feed_take(feed, &piece, &err), -GR_DISK);
	assert_string_equal(err.text, words);
	feed_end(feed);
}

static void it_notices_a_file_that_is_not_as_long_as_it_was(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	fixture.members[1].bytes = 4;
	expect_failure(&fixture, "file 'b.log' changed while it was read");
	fixture.members[1].bytes = 6;
	expect_failure(&fixture, "file 'b.log' changed while it was read");
	tear_down(&fixture);
}

static void it_says_which_file_cannot_be_read(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	assert_int_equal(unlinkat(fixture.folder.handle, "b.log", 0), 0);
	expect_failure(&fixture, "file 'b.log': No such file or directory");
	assert_int_equal(mkdirat(fixture.folder.handle, "b.log", 0755), 0);
	expect_failure(&fixture, "file 'b.log': Is a directory");
	tear_down(&fixture);
}

static void it_can_be_left_at_any_time(void **state)
{
	struct fixture fixture;
	struct gr_error err = {0};
	struct piece piece;
	struct feed *feed;

	(void)state;
	set_up(&fixture);
	for (size_t taken = 0; taken < 12; taken++) {
		feed = begin(&fixture);
		for (size_t i = 0; i < taken; i++)
			assert_int_equal(feed_take(feed, &piece, &err), 0);
		feed_end(feed);
	}
	feed_end(NULL);
	fixture.list.count = 0;
	feed_end(begin(&fixture));
	fixture.list.count = GR_COUNT(fixture.members);
	tear_down(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_gives_the_members_in_turn_and_their_hashes),
	        cmocka_unit_test(it_does_the_same_where_no_thread_can_be_had),
	        cmocka_unit_test(it_notices_a_file_that_is_not_as_long_as_it_was),
	        cmocka_unit_test(it_says_which_file_cannot_be_read),
	        cmocka_unit_test(it_can_be_left_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
