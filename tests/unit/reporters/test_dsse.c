#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "reporters/dsse.h"
#include "runner/base/base64.h"
#include "runner/base/memory.h"
#include "tests/unit/base/key_test.h"

static struct buffer buffer_of(const char *text)
{
	struct buffer buffer = {0};

	buffer_add_text(&buffer, text);
	return buffer;
}

/* The vector of DSSE's protocol.md. */
static void it_signs_the_bytes_that_the_protocol_says(void **state)
{
	GR_AUTO_BUFFER struct buffer payload = buffer_of("hello world");
	GR_AUTO_BUFFER struct buffer encoded = {0};

	(void)state;
	dsse_encode("http://example.com/HelloWorld", &payload, &encoded);
	assert_string_equal(buffer_text(&encoded), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

static char *sign(struct key *key, const char *text)
{
	GR_AUTO_BUFFER struct buffer payload = buffer_of(text);
	GR_AUTO_BUFFER struct buffer line = {0};
	struct gr_error err = {0};

	assert_int_equal(dsse_sign(key, "text/x", &payload, &line, &err), 0);
	return buffer_take(&line);
}

static int open_text(const char *envelope, const char *type, const struct key *key, struct buffer *payload)
{
	GR_AUTO_BUFFER struct buffer line = buffer_of(envelope);
	struct gr_error err = {0};

	return dsse_open(&line, type, key, payload, &err);
}

static void it_opens_what_it_signed_for_the_right_key_and_type(void **state)
{
	struct key_pair pair, other;
	GR_AUTO_FREE char *line = NULL;
	GR_AUTO_BUFFER struct buffer payload = {0};

	(void)state;
	key_pair_make(&pair, "ED25519");
	key_pair_make(&other, "P-256");
	line = sign(pair.private_key, "{\"a\": 1}");
	assert_int_equal(open_text(line, "text/x", pair.public_key, &payload), 0);
	assert_string_equal(buffer_text(&payload), "{\"a\": 1}");
	buffer_clear(&payload);
	assert_int_equal(open_text(line, "text/y", pair.public_key, &payload), -GR_GATE);
	assert_int_equal(open_text(line, "text/x", other.public_key, &payload), -GR_GATE);
	assert_int_equal(payload.bytes, 0);
	key_pair_release(&pair);
	key_pair_release(&other);
}

/* Another payload or type under a right signature; the right one among others' signatures. */
static void it_takes_a_signature_for_its_own_payload_alone(void **state)
{
	struct key_pair pair, other;
	GR_AUTO_FREE char *line = NULL, *others = NULL;
	GR_AUTO_JSON json_t *json = NULL, *foreign = NULL;
	GR_AUTO_BUFFER struct buffer payload = {0};
	char *text;

	(void)state;
	key_pair_make(&pair, "P-384");
	key_pair_make(&other, "ED25519");
	line = sign(pair.private_key, "passed");
	others = sign(other.private_key, "passed");
	json = json_loads(line, 0, NULL);
	foreign = json_loads(others, 0, NULL);
	(void)json_array_insert(
	        json_object_get(json, "signatures"), 0, json_array_get(json_object_get(foreign, "signatures"), 0));
	text = json_dumps(json, 0);
	assert_int_equal(open_text(text, "text/x", pair.public_key, &payload), 0);
	assert_int_equal(open_text(text, "text/x", other.public_key, &payload), 0);
	gr_free(text);
	(void)json_object_set_new(json, "payload", json_string("cGFzc2Vk!"));
	text = json_dumps(json, 0);
	assert_int_equal(open_text(text, "text/x", pair.public_key, &payload), -GR_GATE);
	gr_free(text);
	(void)json_object_set_new(json, "payload", json_string("ZmFpbGVk"));
	text = json_dumps(json, 0);
	assert_int_equal(open_text(text, "text/x", pair.public_key, &payload), -GR_GATE);
	gr_free(text);
	(void)json_object_set_new(json, "payload", json_string("cGFzc2Vk"));
	(void)json_object_set_new(json, "payloadType", json_string("text/y"));
	text = json_dumps(json, 0);
	assert_int_equal(open_text(text, "text/y", pair.public_key, &payload), -GR_GATE);
	gr_free(text);
	key_pair_release(&pair);
	key_pair_release(&other);
}

static void it_refuses_what_is_no_envelope(void **state)
{
	static const char *const table[] = {"", "x", "[]", "{}", "{\"payload\": 1, \"payloadType\": \"text/x\"}",
	        "{\"payload\": \"cGFzc2Vk\", \"payloadType\": \"text/x\"}",
	        "{\"payload\": \"cGFzc2Vk\", \"payloadType\": \"text/x\", \"signatures\": []}",
	        "{\"payload\": \"cGFzc2Vk\", \"payloadType\": \"text/x\", \"signatures\": [{}, 1, {\"sig\": \"\"}]}"};
	struct key_pair pair;

	(void)state;
	key_pair_make(&pair, "ED25519");
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		GR_AUTO_BUFFER struct buffer payload = {0};

		assert_int_equal(open_text(table[i], "text/x", pair.public_key, &payload), -GR_GATE);
		assert_int_equal(payload.bytes, 0);
	}
	key_pair_release(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_signs_the_bytes_that_the_protocol_says),
	        cmocka_unit_test(it_opens_what_it_signed_for_the_right_key_and_type),
	        cmocka_unit_test(it_takes_a_signature_for_its_own_payload_alone),
	        cmocka_unit_test(it_refuses_what_is_no_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
