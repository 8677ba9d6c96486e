/* The operations of the reference as a table: routes.def, one row each, typed from the reference. */
#ifndef GRIDLANE_SANDBOX_ROUTES_H
#define GRIDLANE_SANDBOX_ROUTES_H

#include <stddef.h>

#include "sandbox/call.h"

enum route_style { /* how a family says yes and no */
	STYLE_SUCCESS, /* {"success": true, "message": ...} */
	STYLE_STATE, /* {"status": true, "message": ...} */
	STYLE_STATUS, /* {"status": 1, "msg": ...} */
	STYLE_RUN, /* {"status": true, "msg": ...} */
	STYLE_PIN /* {"success": 1, "message": ...} */
};

struct route {
	const char *id, *path;
	enum route_style style;
	/* Names in the order of the reference: `*` required, `?` required but may be empty, `@apk,ipa` a file of these
	 * kinds. */
	const char *parameters;
	json_t *(*handle)(struct call *call); /* a new reference, never NULL; NULL for a file (files.h) */
};

#define ROUTE(id, path, style, parameters) json_t *handle_##id(struct call *call);
#include "sandbox/routes.def"
#undef ROUTE

/* Does `path` fit the pattern, but for a last slash? Its parts under "{name}" go into parameters. */
bool path_matches(const char *pattern, const char *path, json_t *parameters);
/* The row for a path, with or without its last slash; path parameters go into `parameters` (name -> text). NULL: none.
 */
const struct route *route_find(const char *path, json_t *parameters);
const struct route *route_of_id(const char *id);
size_t route_count(void);
const struct route *route_at(size_t index);

/* Check what came in against the row: unknown parameters become violations, a missing or wrong one a refusal (a new
 * reference), as does a wrong token; NULL when all is well. */
json_t *route_check(struct call *call);

#endif
