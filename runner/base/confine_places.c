/* Landlock: rules that a process lays down for itself, and cannot take back. Kernels know more of it from version to
 * version; what ours does not know is left out. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/base/confine.h"

/* linux/landlock.h of Debian 12 ends with version 2 of the interface. */
#define ACCESS_TRUNCATE (1ULL << 14) /* from version 3 */
#define ACCESS_CONNECT_TCP (1ULL << 1) /* from version 4 */
#define RULE_NET_PORT 2
struct ruleset { /* struct landlock_ruleset_attr of version 4 */
	uint64_t files, net;
};
struct port_rule { /* struct landlock_net_port_attr */
	uint64_t access, port;
};

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FILE_WRITES LANDLOCK_ACCESS_FS_WRITE_FILE
#define FOLDER_WRITES                                                                                                  \
	(LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                \
	        LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM)
/* Never asked for by us, so that nobody else may either. */
#define NEVER                                                                                                          \
	(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SOCK |                 \
	        LANDLOCK_ACCESS_FS_MAKE_FIFO)

struct rules {
	int ruleset;
	long version;
};

static uint64_t file_writes(const struct rules *rules)
{
	return FILE_WRITES | (rules->version >= 3 ? ACCESS_TRUNCATE : 0);
}

static uint64_t folder_writes(const struct rules *rules)
{
	return FOLDER_WRITES | (rules->version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0);
}

/* A path that is not there needs no rule; a rule for a file may hold no right of folders. */
static bool allow_path(const struct rules *rules, const char *path, bool is_written)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = READS};
	struct stat info;
	bool is_laid = true;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return true;
	if (is_written)
		rule.allowed_access |= file_writes(rules) | folder_writes(rules);
	if (fstat(rule.parent_fd, &info) == 0 && !S_ISDIR(info.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | file_writes(rules);
	is_laid = syscall(SYS_landlock_add_rule, rules->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	(void)close(rule.parent_fd);
	return is_laid;
}

static bool allow_all(const struct rules *rules, const struct confine_places *places)
{
	for (const char *const *path = places->reads; *path; path++)
		if (!allow_path(rules, *path, false))
			return false;
	for (const char *const *path = places->writes; *path; path++)
		if (!allow_path(rules, *path, true))
			return false;
	for (const unsigned *port = places->ports; port && *port && rules->version >= 4; port++) {
		struct port_rule rule = {.access = ACCESS_CONNECT_TCP, .port = *port};

		if (syscall(SYS_landlock_add_rule, rules->ruleset, RULE_NET_PORT, &rule, 0) != 0)
			return false;
	}
	return true;
}

bool confine_to_places(const struct confine_places *places)
{
	struct rules rules = {
	        .version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)};
	struct ruleset attributes = {0};
	bool is_confined = false;
	int why;

	if (rules.version < 1)
		return false;
	attributes.files = READS | file_writes(&rules) | folder_writes(&rules) | NEVER;
	attributes.net = places->ports && rules.version >= 4 ? ACCESS_CONNECT_TCP : 0;
	rules.ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes,
	        rules.version >= 4 ? sizeof(attributes) : sizeof(attributes.files), 0);
	if (rules.ruleset < 0)
		return false;
	if (allow_all(&rules, places) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		is_confined = syscall(SYS_landlock_restrict_self, rules.ruleset, 0) == 0;
	why = errno;
	(void)close(rules.ruleset);
	errno = why;
	return is_confined;
}
