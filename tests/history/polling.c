/* How soon the end of a run is seen, and with how many requests: the learned schedule beside fixed intervals and
 * exponential backoff, night after night, each night planned from the nights before it alone. Durations are drawn from
 * seeded shapes. Exit status 1 unless the learned schedule is ahead of each at no more requests. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/steps/schedule.h"

#define NIGHTS 200 /* unless told otherwise */
#define KNOWN_MOST 60 /* as many runs as the history hands over */
#define LOW_MS 2000
#define HIGH_MS 30000
#define GAP_MOST_MS 150000
#define SECOND 1000.0

struct shape {
	const char *name;
	double (*seconds)(unsigned night, double a, double b); /* a, b: from 0 to 1 */
};

static double normal(double a, double b)
{
	return sqrt(-2 * log(a > 1e-9 ? a : 1e-9)) * cos(2 * acos(-1) * b);
}

static double steady(unsigned night, double a, double b)
{
	(void)night;
	return 600 + 18 * normal(a, b);
}

static double wide(unsigned night, double a, double b)
{
	(void)night;
	return 900 * exp(0.25 * normal(a, b));
}

static double two_kinds(unsigned night, double a, double b)
{
	return (night % 3 == 0 ? 240 : 720) + 15 * normal(a, b);
}

static double growing(unsigned night, double a, double b)
{
	return 400 + night + 20 * normal(a, b);
}

static double brief(unsigned night, double a, double b)
{
	(void)night;
	return 75 + 8 * normal(a, b);
}

static const struct shape shapes[] = {{"10 min, 3 % off", steady}, {"15 min, 25 % off", wide},
        {"4 or 12 min", two_kinds}, {"7 to 13 min, growing", growing}, {"75 s, 10 % off", brief}};

/* ---- schedules ---- */

struct rival {
	const char *name;
	double low_ms, factor, high_ms;
};
static const struct rival rivals[] = {{"fixed 5 s", 5000, 1, 5000}, {"fixed 15 s", 15000, 1, 15000},
        {"fixed 30 s", 30000, 1, 30000}, {"backoff 2 s to 30 s", 2000, 1.25, 30000},
        {"backoff 1 s, doubled to 60 s", 1000, 2, 60000}};

struct tally {
	double requests, lag_ms;
};

struct sight { /* of one run's end */
	double requests, seen_ms, gap_ms;
};

static struct sight look_with(const struct rival *rival, double from_ms, double end_ms)
{
	struct sight sight = {.seen_ms = from_ms};

	for (double every_ms = rival->low_ms; sight.seen_ms < end_ms; sight.requests++) {
		sight.gap_ms = every_ms;
		sight.seen_ms += every_ms;
		every_ms = fmin(every_ms * rival->factor, rival->high_ms);
	}
	return sight;
}

/* The planned looks, and after the last of them the usual pace. */
static struct sight look_as_learned(const int64_t *looks, size_t count, double end_ms)
{
	static const struct rival pace = {"", LOW_MS, 1.25, HIGH_MS};
	struct sight sight = {0}, late;

	for (size_t i = 0; i < count; i++) {
		sight.gap_ms = (double)looks[i] - sight.seen_ms;
		sight.seen_ms = (double)looks[i];
		sight.requests++;
		if (sight.seen_ms >= end_ms)
			return sight;
	}
	late = look_with(&pace, sight.seen_ms, end_ms);
	late.requests += sight.requests;
	return late;
}

/* ---- nights ---- */

static double draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(*seed >> 33) / (double)(1u << 31);
}

/* Looks of the rival at the runs that are known, as they were seen. */
static double looks_of(const struct rival *rival, const struct schedule_run *known, size_t count)
{
	double looks = 0, weight = 0;

	for (size_t i = 0; i < count; i++) {
		looks += schedule_weight(i) *
		         look_with(rival, 0, (double)known[i].ms - (double)known[i].lag_ms / 2).requests;
		weight += schedule_weight(i);
	}
	return looks / weight;
}

struct life {
	const struct shape *shape;
	const struct rival *rival;
	unsigned nights;
};

static void live(const struct life *life, struct tally *ret_rival, struct tally *ret_own)
{
	const struct rival *rival = life->rival;
	struct schedule_run known[KNOWN_MOST] = {0};
	uint64_t seed = 20260101;
	size_t nights = 0;

	*ret_rival = *ret_own = (struct tally){0};
	for (unsigned night = 0; night < life->nights; night++) {
		double a = draw(&seed), b = draw(&seed), end_ms = fmax(5, life->shape->seconds(night, a, b)) * SECOND;
		size_t count = night < KNOWN_MOST ? night : KNOWN_MOST, look_count;
		const struct schedule_wish wish = {LOW_MS, GAP_MOST_MS, count > 0 ? looks_of(rival, known, count) : 0};
		int64_t *looks = schedule_plan(known, count, &wish, &look_count);
		struct sight theirs = look_with(rival, 0, end_ms), own;

		own = looks ? look_as_learned(looks, look_count, end_ms) : theirs;
		memmove(known + 1, known, (KNOWN_MOST - 1) * sizeof(*known)); /* latest first */
		known[0] = (struct schedule_run){(int64_t)own.seen_ms, (int64_t)own.gap_ms};
		if (looks) {
			nights++;
			ret_rival->requests += theirs.requests;
			ret_rival->lag_ms += theirs.seen_ms - end_ms;
			ret_own->requests += own.requests;
			ret_own->lag_ms += own.seen_ms - end_ms;
		}
		gr_free(looks);
	}
	ret_rival->requests /= (double)nights;
	ret_rival->lag_ms /= (double)nights;
	ret_own->requests /= (double)nights;
	ret_own->lag_ms /= (double)nights;
}

int main(int argc, char **argv)
{
	unsigned nights = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : NIGHTS;
	bool is_ahead = true;

	printf("%-22s %-30s %10s %10s   %10s %10s\n%-22s %-30s %10s %10s   %10s %10s\n", "", "", "", "", "learned:", "",
	        "runs", "beside", "requests", "mean lag", "requests", "mean lag");
	for (size_t i = 0; i < GR_COUNT(shapes); i++)
		for (size_t j = 0; j < GR_COUNT(rivals); j++) {
			const struct life life = {&shapes[i], &rivals[j], nights};
			struct tally rival, own;
			bool wins;

			live(&life, &rival, &own);
			wins = own.requests <= rival.requests * 1.01 && own.lag_ms < rival.lag_ms;
			is_ahead = is_ahead && wins;
			printf("%-22s %-30s %10.1f %8.2f s   %10.1f %8.2f s%s\n", shapes[i].name, rivals[j].name,
			        rival.requests, rival.lag_ms / SECOND, own.requests, own.lag_ms / SECOND,
			        wins ? "" : "   BEHIND");
		}
	return is_ahead ? 0 : 1;
}
