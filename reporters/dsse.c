#include "reporters/dsse.h"

#include <jansson.h>
#include <string.h>

#include "runner/base/base64.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define SIGNATURES_MOST 100

void dsse_encode(const char *type, const struct buffer *payload, struct buffer *out)
{
	buffer_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, payload->bytes);
	buffer_add(out, buffer_text(payload), payload->bytes);
}

int dsse_sign(
        const struct key *key, const char *type, const struct buffer *payload, struct buffer *out, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer encoded = {0};
	GR_AUTO_BUFFER struct buffer signature = {0};
	int r;

	dsse_encode(type, payload, &encoded);
	r = key_sign(key, &encoded, &signature, err);
	if (r < 0)
		return r;
	buffer_add_text(out, "{\"payloadType\":\"");
	buffer_add_text(out, type);
	buffer_add_text(out, "\",\"payload\":\"");
	base64_add(out, buffer_text(payload), payload->bytes);
	buffer_printf(out, "\",\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"", key_id(key));
	base64_add(out, buffer_text(&signature), signature.bytes);
	buffer_add_text(out, "\"}]}");
	return 0;
}

static bool read_member(const json_t *object, const char *key, struct buffer *out)
{
	const json_t *text = json_object_get(object, key);

	return json_is_string(text) && base64_read(json_string_value(text), json_string_length(text), out);
}

/* keyid is not signed, so it decides nothing: every signature is tried. */
static bool is_signed(const json_t *envelope, const struct buffer *encoded, const struct key *key)
{
	const json_t *signatures = json_object_get(envelope, "signatures"), *one;
	size_t i;

	json_array_foreach (signatures, i, one) {
		GR_AUTO_BUFFER struct buffer signature = {0};

		if (i < SIGNATURES_MOST && read_member(one, "sig", &signature) &&
		        key_verifies(key, encoded, &signature))
			return true;
	}
	return false;
}

int dsse_open(const struct buffer *envelope, const char *type, const struct key *key, struct buffer *ret_payload,
        struct gr_error *err)
{
	GR_AUTO_JSON json_t *json = json_loadb(buffer_text(envelope), envelope->bytes, JSON_REJECT_DUPLICATES, NULL);
	GR_AUTO_BUFFER struct buffer payload = {0};
	GR_AUTO_BUFFER struct buffer encoded = {0};

	if (!json_is_object(json) || !read_member(json, "payload", &payload))
		return gr_fail(err, GR_GATE, 0, "it is not a DSSE envelope");
	if (!text_equal(json_string_value(json_object_get(json, "payloadType")), type))
		return gr_fail(err, GR_GATE, 0, "its payload is not of the type %s", type);
	dsse_encode(type, &payload, &encoded);
	if (!is_signed(json, &encoded, key))
		return gr_fail(err, GR_GATE, 0, "it has no signature of this key (%s)", key_id(key));
	buffer_add(ret_payload, buffer_text(&payload), payload.bytes);
	return 0;
}
