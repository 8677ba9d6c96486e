#include "reporters/bundle_feed.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "runner/base/digest.h"
#include "runner/base/memory.h"

#define PIECE_BYTES ((size_t)64 << 10)
/* Pieces begin where pages do: the kernel copies pages to nothing else as fast. */
#define PAGE_BYTES ((size_t)4 << 10)
#define PIECES 8 /* read and not taken yet: what memory there is of a bundle of any size */

struct filled {
	char *data;
	size_t bytes;
	bool is_last;
	struct gr_error error;
};

struct feed {
	int directory;
	struct member_list *members;
	/* the reader's */
	struct digest *digest;
	size_t at; /* the member that is read */
	int fd;
	int64_t left;
	/* between both */
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char *memory;
	struct filled pieces[PIECES]; /* a ring: `taken` goes on from behind, `filled` in front */
	size_t filled, taken;
	bool is_holding, is_stopped; /* is_holding: the caller has a piece, the one before `taken` */
	bool is_ended; /* nothing more is filled */
};

/* ---- reading ---- */

static int fail_changed(const struct member *member, struct gr_error *err)
{
	return gr_fail(err, GR_DISK, 0, "file '%s' changed while it was read", member->path);
}

static int open_member(struct feed *feed, const struct member *member, struct gr_error *err)
{
	feed->fd = member_open(feed->directory, member->path);
	feed->left = member->bytes;
	return feed->fd < 0 ? gr_fail(err, GR_DISK, -feed->fd, "file '%s'", member->path) : 0;
}

static void close_member(struct feed *feed)
{
	if (feed->fd >= 0)
		(void)close(feed->fd);
	feed->fd = -1;
}

static int read_piece(struct feed *feed, const struct member *member, struct filled *piece)
{
	while (piece->bytes < PIECE_BYTES && !piece->is_last) {
		ssize_t got = read(feed->fd, piece->data + piece->bytes, PIECE_BYTES - piece->bytes);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return gr_fail(&piece->error, GR_DISK, errno, "file '%s'", member->path);
		if (got > feed->left)
			return fail_changed(member, &piece->error);
		feed->left -= got;
		piece->bytes += (size_t)got;
		piece->is_last = got == 0;
	}
	return piece->is_last && feed->left > 0 ? fail_changed(member, &piece->error) : 0;
}

/* The next piece of the members. What is hashed is what was read, whatever the file is meanwhile. */
static int fill(struct feed *feed, struct filled *piece)
{
	struct member *member = &feed->members->items[feed->at];
	int r = 0;

	piece->bytes = 0;
	piece->is_last = false;
	if (feed->fd < 0)
		r = open_member(feed, member, &piece->error);
	if (r == 0)
		r = read_piece(feed, member, piece);
	if (r < 0)
		return r;
	digest_add(feed->digest, piece->data, piece->bytes);
	if (piece->is_last) {
		digest_end(feed->digest, member->sha256);
		close_member(feed);
		feed->at++;
	}
	return 0;
}

/* ---- the thread ----
 * Who had to wait goes on when half of the pieces are ready for it: to wake the other one for each costs more than to
 * read it. */

static size_t count_used(const struct feed *feed)
{
	return feed->filled - feed->taken + feed->is_holding;
}

/* false: the caller has given up. */
static bool wait_for_room(struct feed *feed)
{
	bool is_stopped;

	(void)pthread_mutex_lock(&feed->lock);
	if (count_used(feed) == PIECES)
		while (!feed->is_stopped && count_used(feed) > PIECES / 2)
			(void)pthread_cond_wait(&feed->changed, &feed->lock);
	is_stopped = feed->is_stopped;
	(void)pthread_mutex_unlock(&feed->lock);
	return !is_stopped;
}

static void *thread_main(void *context)
{
	struct feed *feed = context;
	bool is_ended = feed->at == feed->members->count;

	while (!is_ended && wait_for_room(feed)) {
		is_ended = fill(feed, &feed->pieces[feed->filled % PIECES]) < 0 || feed->at == feed->members->count;
		(void)pthread_mutex_lock(&feed->lock);
		feed->filled++;
		feed->is_ended = is_ended;
		if (is_ended || feed->filled - feed->taken == PIECES / 2)
			(void)pthread_cond_signal(&feed->changed);
		(void)pthread_mutex_unlock(&feed->lock);
	}
	return NULL;
}

struct feed *feed_begin(int directory, struct member_list *members)
{
	struct feed *feed = gr_alloc(1, sizeof(*feed));
	sigset_t all, before;
	char *first;

	feed->directory = directory;
	feed->members = members;
	feed->digest = digest_new();
	feed->fd = -1;
	feed->memory = gr_alloc(PIECES * PIECE_BYTES + PAGE_BYTES, 1);
	first = feed->memory + PAGE_BYTES - (uintptr_t)feed->memory % PAGE_BYTES;
	for (size_t i = 0; i < PIECES; i++)
		feed->pieces[i].data = first + i * PIECE_BYTES;
	(void)pthread_mutex_init(&feed->lock, NULL);
	(void)pthread_cond_init(&feed->changed, NULL);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the first thread's */
	feed->has_thread = pthread_create(&feed->thread, NULL, thread_main, feed) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return feed;
}

/* ---- taking ---- */

static struct filled *wait_for_piece(struct feed *feed)
{
	struct filled *piece;
	bool was_holding;

	(void)pthread_mutex_lock(&feed->lock);
	was_holding = feed->is_holding;
	feed->is_holding = false;
	if (was_holding && count_used(feed) == PIECES / 2)
		(void)pthread_cond_signal(&feed->changed);
	if (feed->filled == feed->taken)
		while (!feed->is_ended && feed->filled - feed->taken < PIECES / 2)
			(void)pthread_cond_wait(&feed->changed, &feed->lock);
	piece = &feed->pieces[feed->taken++ % PIECES];
	feed->is_holding = true;
	(void)pthread_mutex_unlock(&feed->lock);
	return piece;
}

int feed_take(struct feed *feed, struct piece *ret_piece, struct gr_error *err)
{
	struct filled *piece = feed->pieces;

	if (feed->has_thread)
		piece = wait_for_piece(feed);
	else
		(void)fill(feed, piece); /* what went wrong is with the piece */
	*ret_piece = (struct piece){piece->data, piece->bytes, piece->is_last};
	if (!piece->error.failure)
		return 0;
	*err = piece->error;
	return -(int)err->failure;
}

void feed_end(struct feed *feed)
{
	if (!feed)
		return;
	(void)pthread_mutex_lock(&feed->lock);
	feed->is_stopped = true;
	(void)pthread_cond_signal(&feed->changed);
	(void)pthread_mutex_unlock(&feed->lock);
	if (feed->has_thread)
		(void)pthread_join(feed->thread, NULL);
	(void)pthread_cond_destroy(&feed->changed);
	(void)pthread_mutex_destroy(&feed->lock);
	close_member(feed);
	digest_free(feed->digest);
	gr_free(feed->memory);
	gr_free(feed);
}
