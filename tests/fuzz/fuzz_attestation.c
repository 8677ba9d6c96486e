/* An attestation and a public key from anybody: as an envelope, no input may be one that the key signed; and the
 * Statement inside of a signed one may be anything. An input with "-----BEGIN" is tried as a key. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reporters/dsse.h"
#include "reporters/statement.h"
#include "runner/base/file.h"
#include "runner/base/key.h"
#include "runner/base/memory.h"
#include "tests/fuzz/fuzz.h"

/* Nobody has its other half. */
static const char public_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VwAyEAS512XbfFEjP3HxNrv0n5wVXfuSa8JuNwqgVUqUuM02s=\n"
                                 "-----END PUBLIC KEY-----\n";

static struct key *read_key(const char *text, size_t bytes)
{
	GR_AUTO_CLOSE int fd = memfd_create("key.pem", MFD_CLOEXEC);
	struct key *key = NULL;
	struct gr_error err = {0};
	char path[64];

	FUZZ_MUST(fd >= 0 && file_write_all(fd, text, bytes) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FUZZ_MUST((key_read_public(path, &key, &err) == 0) == (key != NULL));
	return key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const char *const digests[] = {"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", NULL};
	const struct statement_demand demand = {.digests = digests, .takes_sandbox = true};
	GR_AUTO_BUFFER struct buffer text = {0};
	GR_AUTO_BUFFER struct buffer payload = {0};
	GR_AUTO_JSON json_t *statement = NULL;
	struct gr_error err = {0};
	struct key *key;

	buffer_add(&text, data, bytes);
	if (bytes > 0 && strstr(buffer_text(&text), "-----BEGIN")) {
		key_free(read_key(buffer_text(&text), bytes));
		return 0;
	}
	key = read_key(public_key, strlen(public_key));
	FUZZ_MUST(dsse_open(&text, DSSE_IN_TOTO, key, &payload, &err) != 0 && err.text[0] != '\0');
	key_free(key);
	FUZZ_MUST((statement_check(&text, &demand, &statement, &err) == 0) == (statement != NULL));
	return 0;
}
