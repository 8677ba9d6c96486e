/* The CI files that `gridlane init` writes from: those of ci-templates/, put in by the build. */
#ifndef GRIDLANE_COMMANDS_INIT_H
#define GRIDLANE_COMMANDS_INIT_H

struct ci_template {
	const char *name; /* the word after --ci */
	const char *target; /* where the CI looks for it */
	const char *text; /* names the pipeline ci/nightly.yml */
};
extern const struct ci_template ci_templates[]; /* ended by a NULL name */

#endif
