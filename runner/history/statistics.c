#include <math.h>

#include "runner/history/private.h"

#define Z_95 1.959963985

void statistics_bounds(int64_t hits, int64_t all, double *ret_low, double *ret_high)
{
	double n = (double)all, rate, middle, spread;

	*ret_low = 0;
	*ret_high = 1;
	if (all <= 0)
		return;
	rate = (double)hits / n;
	middle = (rate + Z_95 * Z_95 / (2 * n)) / (1 + Z_95 * Z_95 / n);
	spread = Z_95 * sqrt(rate * (1 - rate) / n + Z_95 * Z_95 / (4 * n * n)) / (1 + Z_95 * Z_95 / n);
	*ret_low = hits == 0 ? 0 : middle - spread;
	*ret_high = hits == all ? 1 : middle + spread;
}
