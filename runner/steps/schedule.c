#include "runner/steps/schedule.h"

#include <math.h>

#include "runner/base/memory.h"

/* Times that may become looks: some before the first known end, most between the first and the last. */
enum { EARLY_CELLS = 48, CELLS = 560 };
/* Looks at a run that takes longer than all before it, until it ends: a guess that only weighs the last planned one. */
#define LATE_LOOKS 4.0
/* Part of the wished looks that is planned: suites grow, and the rest is for runs that take longer than expected. */
#define PLANNED 0.85
/* Halvings of the price of a look until the expected looks are as many as wished. */
#define ROUNDS 14

/* The distribution of ends, as a step function over the cells. Beside what is known, the weight of one run is before
 * all others, and that of one after them: the next run may be such a one. */
struct ends {
	double at[CELLS + 1]; /* times */
	double before[CELLS + 1]; /* share of runs that ended by then */
	double moment[CELLS + 1]; /* the same, each run weighted with its time */
};

struct plan {
	const struct ends *ends;
	double least_gap, most_gap;
	double line[CELLS + 1]; /* what it costs to look at a cell next, but for what the cell before it brings */
	size_t next[CELLS + 1]; /* the look after that one */
	size_t first, last; /* cells within the gaps after the cell that is looked from */
};

double schedule_weight(size_t age)
{
	return exp2(-(double)age / SCHEDULE_HALF);
}

static double weight_of(size_t count)
{
	double weight = 0;

	for (size_t i = 0; i < count; i++)
		weight += schedule_weight(i);
	return weight;
}

/* Half the width by which each known end is spread: what a few runs say of the next one is no more exact. Silverman's
 * rule for the standard deviation. */
static double spread_of(const struct schedule_run *runs, size_t count, double weight)
{
	double mean = 0, variance = 0;

	for (size_t i = 0; i < count; i++)
		mean += schedule_weight(i) * (double)runs[i].ms / weight;
	for (size_t i = 0; i < count; i++)
		variance += schedule_weight(i) * ((double)runs[i].ms - mean) * ((double)runs[i].ms - mean) / weight;
	return fmax(1.06 * sqrt(variance) * pow(weight, -0.2), fmax(1, 0.002 * mean));
}

static double first_of(const struct schedule_run *run, double spread)
{
	return fmax(0, (double)(run->ms - run->lag_ms) - spread);
}

static void lay_cells(const struct schedule_run *runs, size_t count, double spread, struct ends *ends)
{
	double first = INFINITY, last = 0;

	for (size_t i = 0; i < count; i++) {
		first = fmin(first, first_of(&runs[i], spread));
		last = fmax(last, (double)runs[i].ms + spread);
	}
	for (size_t i = 0; i <= CELLS; i++)
		ends->at[i] = i <= EARLY_CELLS
		                      ? first * (double)i / EARLY_CELLS
		                      : first + (last - first) * (double)(i - EARLY_CELLS) / (CELLS - EARLY_CELLS);
}

static double clamp(double part)
{
	return part < 0 ? 0 : part > 1 ? 1 : part;
}

/* One run, which ended somewhere between the two. */
static void add_end(struct ends *ends, double first, double last, double share)
{
	double slope = 1 / (last - first); /* it is at least twice the spread */

	for (size_t i = EARLY_CELLS; i <= CELLS; i++)
		ends->before[i] += share * clamp((ends->at[i] - first) * slope);
}

static void count_ends(const struct schedule_run *runs, size_t count, struct ends *ends)
{
	double weight = weight_of(count), spread = spread_of(runs, count, weight);

	lay_cells(runs, count, spread, ends);
	for (size_t i = 0; i <= CELLS; i++)
		ends->before[i] = fmin(1, (double)i / EARLY_CELLS) / (weight + 2);
	for (size_t j = 0; j < count; j++)
		add_end(ends, first_of(&runs[j], spread), (double)runs[j].ms + spread,
		        schedule_weight(j) / (weight + 2));
	for (size_t i = 1; i <= CELLS; i++)
		ends->moment[i] = ends->moment[i - 1] +
		                  (ends->before[i] - ends->before[i - 1]) * (ends->at[i] + ends->at[i - 1]) / 2;
}

/* The cells of the next look after one at `from`, which goes down: at the ends of the gaps, or the last cell. */
static void move_gaps(struct plan *plan, size_t from)
{
	const double *at = plan->ends->at;

	while (plan->first > from + 1 && at[plan->first - 1] - at[from] >= plan->least_gap)
		plan->first--;
	while (plan->last > plan->first && at[plan->last] - at[from] > plan->most_gap)
		plan->last--;
}

/* The next look that costs least: the look itself, and the time that ends between the two wait to be seen. That is
 *   price (1 - before[from]) + at[to] (before[to] - before[from]) - (moment[to] - moment[from]) + cost[to]
 * of which `line` has what depends on `to` alone. The later a look, the later the one after it, so the search ends at
 * that of the cell behind (the costs are a Monge array). */
static void choose_next(struct plan *plan, size_t from, double price)
{
	const struct ends *ends = plan->ends;
	double before = ends->before[from], least = INFINITY;
	size_t last = from + 1 < CELLS && plan->next[from + 1] < plan->last ? plan->next[from + 1] : plan->last;
	size_t next = plan->first;

	for (size_t to = plan->first; to <= last; to++) {
		double cost = plan->line[to] - ends->at[to] * before;

		if (cost < least) {
			least = cost;
			next = to;
		}
	}
	plan->next[from] = next;
	plan->line[from] = ends->at[from] * before + price * (1 - before) + least;
}

/* Returns the expected looks. */
static double plan_at(struct plan *plan, double price)
{
	const struct ends *ends = plan->ends;
	double late = 1 - ends->before[CELLS], looks = late * LATE_LOOKS;

	plan->line[CELLS] = ends->at[CELLS] * ends->before[CELLS] - ends->moment[CELLS] + late * LATE_LOOKS * price;
	plan->first = plan->last = CELLS;
	for (size_t i = CELLS; i-- > 0;) {
		move_gaps(plan, i);
		choose_next(plan, i, price);
	}
	for (size_t i = 0; i < CELLS; i = plan->next[i])
		looks += 1 - ends->before[i];
	return looks;
}

static void fit_price(struct plan *plan, double looks)
{
	double cheap = 1, dear = fmax(2, plan->ends->at[CELLS]); /* ms of waiting that a look is worth */

	if (plan_at(plan, cheap) <= looks)
		return;
	for (size_t i = 0; i < ROUNDS; i++) {
		double price = sqrt(cheap * dear);

		if (plan_at(plan, price) <= looks)
			dear = price;
		else
			cheap = price;
	}
	(void)plan_at(plan, dear);
}

int64_t *schedule_plan(
        const struct schedule_run *runs, size_t count, const struct schedule_wish *wish, size_t *ret_count)
{
	struct ends *ends;
	struct plan *plan;
	int64_t *looks;

	*ret_count = 0;
	if (count < SCHEDULE_RUNS_LEAST)
		return NULL;
	ends = gr_alloc(1, sizeof(*ends));
	plan = gr_alloc(1, sizeof(*plan));
	count_ends(runs, count, ends);
	plan->ends = ends;
	plan->least_gap = (double)wish->least_gap_ms;
	plan->most_gap = (double)wish->most_gap_ms;
	fit_price(plan, PLANNED * wish->looks);
	looks = gr_alloc(CELLS, sizeof(*looks));
	for (size_t i = 0; i < CELLS; i = plan->next[i])
		looks[(*ret_count)++] = (int64_t)ceil(ends->at[plan->next[i]]);
	gr_free(plan);
	gr_free(ends);
	return gr_resize(looks, *ret_count, sizeof(*looks)); /* each of 1,000 lanes keeps its own */
}

double schedule_looks_of_pace(const struct schedule_run *runs, size_t count, int64_t low_ms, int64_t high_ms)
{
	double looks = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t every_ms = low_ms > 0 ? low_ms : 1, at_ms = 0;

		while (at_ms < runs[i].ms) {
			looks += schedule_weight(i);
			at_ms += every_ms;
			every_ms += every_ms / 4 + 1;
			every_ms = every_ms < high_ms ? every_ms : high_ms > low_ms ? high_ms : low_ms;
		}
	}
	return count > 0 ? looks / weight_of(count) : 0;
}
