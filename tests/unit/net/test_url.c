#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "runner/base/memory.h"
#include "runner/net/address.h"
#include "runner/net/transfer.h"

#define BASE "https://good.example"

static const char *const allowed[] = {"cdn.example", "10.1.2.3", "169.254.169.254", "127.0.0.1", "[::1]", "localhost",
        "[::ffff:127.0.0.1]", "0.0.0.0", "224.0.0.1", "[fe80::1]", "[fd00:ec2::254]", NULL};

static void expect(const char *url, const char *base, const char *result)
{
	struct gr_error err = {0};
	GR_AUTO_FREE char *gated = NULL;
	int r = url_gate(url, base, allowed, GR_PROTOCOL, &gated, &err);

	if (r < 0 && result)
		fail_msg("%s: %s", url, err.text);
	if (!result && r == 0)
		fail_msg("%s passed as %s", url, gated);
	if (result) {
		assert_string_equal(gated, result);
		return;
	}
	assert_int_equal(r, -GR_PROTOCOL);
	assert_int_equal(err.failure, GR_PROTOCOL);
	assert_null(gated);
	assert_null(strstr(err.text, "sekret"));
}

static void passes(const char *url, const char *result)
{
	expect(url, BASE, result);
}

static void refuses(const char *url)
{
	expect(url, BASE, NULL);
}

static void it_lets_the_server_and_allowed_hosts_pass(void **state)
{
	(void)state;
	passes(BASE "/a/b?c=d%20e", BASE "/a/b?c=d%20e");
	passes("https://GOOD.example./x", "https://GOOD.example/x");
	passes("https://good.example:443/x", "https://good.example:443/x");
	passes("https://cdn.example/x?sig=1", "https://cdn.example/x?sig=1");
	passes(BASE "/x#part", BASE "/x");
	passes("https://good%2eexample/x", BASE "/x"); /* rebuilt, so nobody decodes it a second time */
	passes("HTTPS://good.example/x", "https://good.example/x");
	passes("https://10.1.2.3/log", "https://10.1.2.3/log");
}

static void it_joins_paths_to_the_server(void **state)
{
	(void)state;
	passes("/logs/1.txt?x=1", BASE "/logs/1.txt?x=1");
	passes("/../../etc", BASE "/etc");
	expect("/logs/1", "https://good.example:8443/prefix", "https://good.example:8443/logs/1");
	refuses("logs/1.txt");
	refuses("?x=1");
	refuses("#x");
	refuses("");
}

static void it_refuses_other_servers(void **state)
{
	(void)state;
	refuses("https://evil.example/");
	refuses("https://good.example.evil.example/");
	refuses("https://evilgood.example/");
	refuses("https://good.example:8443/");
	refuses("https://cdn.example:8443/");
	refuses("http://good.example/");
	refuses("http://cdn.example/");
	refuses("http://cdn.example:443/");
	refuses("https://evil%2eexample/");
	refuses("https://good.example:0/");
	refuses("https://good.example:99999/");
}

static void it_refuses_what_parsers_disagree_about(void **state)
{
	(void)state;
	refuses("https://good.example@evil.example/");
	refuses("https://good.example:sekret@evil.example/");
	refuses("https://user:sekret@good.example/");
	refuses("https://user@good.example/");
	refuses("https://:@good.example/");
	refuses("https://good.example\\@evil.example/");
	refuses("https:///evil.example/x");
	refuses("https:/evil.example/x");
	refuses("https:\\\\evil.example/");
	refuses("//evil.example/x");
	refuses("///evil.example/x");
	refuses("/\\evil.example/x");
	refuses("https://evil.example#@good.example/");
	refuses("https://evil.example?@good.example/");
	refuses("https://good.example/a b");
	refuses(" https://good.example/");
	refuses("https://good.example/\r\nX: y");
	refuses("https://good.example/\t");
	refuses("https://good.example/\x7f");
	refuses("https://good.example%00.evil.example/");
	refuses("https://good.example/%00");
	refuses("https://[good.example]/");
	refuses("https://");
	refuses("https://g\xC3\xB6\xC3\xB6"
	        "d.example/");
}

static void it_refuses_other_schemes(void **state)
{
	(void)state;
	refuses("file:///etc/passwd");
	refuses("gopher://good.example/");
	refuses("ftp://good.example/");
	refuses("javascript:alert(1)");
	refuses("data:text/plain,x");
	refuses("good.example/x");
}

static void it_refuses_this_machine_in_every_spelling(void **state)
{
	(void)state;
	refuses("https://127.0.0.1/");
	refuses("https://2130706433/");
	refuses("https://0x7f.1/");
	refuses("https://0177.0.0.1/");
	refuses("https://127.1/");
	refuses("https://localhost/");
	refuses("https://LOCALHOST./");
	refuses("https://[::1]/");
	refuses("https://[::ffff:127.0.0.1]/");
	refuses("https://0.0.0.0/");
	refuses("https://224.0.0.1/");
	refuses("https://169.254.169.254/latest/meta-data");
	refuses("https://0xA9FEA9FE/");
	refuses("https://[fe80::1]/");
	refuses("https://[fe80::1%25eth0]/");
	refuses("https://[fd00:ec2::254]/");
}

static void it_takes_local_addresses_when_the_server_is_local_itself(void **state)
{
	(void)state;
	expect("http://127.0.0.1:8080/x", "http://127.0.0.1:8080", "http://127.0.0.1:8080/x");
	expect("http://localhost:8080/x", "http://localhost:8080", "http://localhost:8080/x");
	expect("http://127.0.0.1:8081/x", "http://127.0.0.1:8080", NULL);
	expect("http://localhost:8080/x", "http://127.0.0.1:8080", "http://localhost:8080/x");
	expect("http://localhost:8081/x", "http://127.0.0.1:8080", NULL);
	expect("https://127.0.0.1/x", "http://10.0.0.1", "https://127.0.0.1/x");
}

static void it_refuses_long_urls(void **state)
{
	char url[9000] = BASE "/";
	size_t bytes = strlen(url);

	(void)state;
	memset(url + bytes, 'x', sizeof(url) - bytes);
	url[8193] = '\0';
	refuses(url);
	url[8192] = '\0';
	passes(url, url);
}

static void base_is(const char *url, bool insecure_http, const char *result)
{
	struct gr_error err = {0};
	GR_AUTO_FREE char *base = NULL;
	int r = url_base(url, insecure_http, &base, &err);

	if (!result) {
		assert_int_equal(r, -GR_CONFIG);
		assert_null(base);
		assert_null(strstr(err.text, "sekret"));
		return;
	}
	if (r < 0)
		fail_msg("%s: %s", url, err.text);
	assert_string_equal(base, result);
}

static void it_reads_the_url_of_the_server(void **state)
{
	(void)state;
	base_is("https://host", false, "https://host");
	base_is("https://host/", false, "https://host");
	base_is("https://host:8443/a/b//", false, "https://host:8443/a/b");
	base_is("http://127.0.0.1:1", false, "http://127.0.0.1:1");
	base_is("http://127.8.9.1:1/", false, "http://127.8.9.1:1");
	base_is("http://[::1]:1/x/", false, "http://[::1]:1/x");
	base_is("http://localhost/", false, "http://localhost");
	base_is("http://10.0.0.1/", true, "http://10.0.0.1");
}

static void it_refuses_servers_that_would_give_the_token_away(void **state)
{
	(void)state;
	base_is("http://host", false, NULL);
	base_is("http://10.0.0.1", false, NULL);
	base_is("http://localhost.evil", false, NULL);
	base_is("http://127.0.0.1.evil", false, NULL);
	base_is("ftp://host", true, NULL);
	base_is("host", true, NULL);
	base_is("", true, NULL);
	base_is("/x", true, NULL);
	base_is("https://u:sekret@host", true, NULL);
	base_is("https://host/?q", true, NULL);
	base_is("https://host/#f", true, NULL);
	base_is("https://host /", true, NULL);
}

static void it_knows_special_addresses(void **state)
{
	static const char *const special[] = {"127.0.0.1", "0.1.2.3", "169.254.1.1", "239.1.1.1", "255.255.255.255",
	        "100.100.100.200", "::", "::1", "fe80::1", "ff02::1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
	        "2002:7f00:1::", "::127.0.0.1"};
	static const char *const usual[] = {
	        "8.8.8.8", "10.0.0.1", "192.168.1.1", "2001:db8::1", "fd12::1", "::ffff:8.8.8.8"};
	struct sockaddr_storage address;

	(void)state;
	for (size_t i = 0; i < GR_COUNT(special); i++) {
		assert_true(address_parse(special[i], &address));
		assert_true(address_is_special((struct sockaddr *)&address));
	}
	for (size_t i = 0; i < GR_COUNT(usual); i++) {
		assert_true(address_parse(usual[i], &address));
		assert_false(address_is_special((struct sockaddr *)&address));
	}
	assert_true(host_is_local("192.168.3.4"));
	assert_true(host_is_local("172.16.0.1"));
	assert_true(host_is_local("fd12::1"));
	assert_false(host_is_local("172.32.0.1"));
	assert_false(host_is_local("example.com"));
}

static void it_posts_to_https_and_to_this_machine_alone(void **state)
{
	static const char *const good[][2] = {{"https://hooks.example/a?b=c#d", "https://hooks.example/a?b=c"},
	        {"http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a"}, {"http://localhost/", "http://localhost/"}};
	static const char *const bad[] = {"http://hooks.example/", "ftp://hooks.example/", "hooks.example/a", "/a", "",
	        "https://user:word@hooks.example/", "https://hooks.example/a b"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(good); i++) {
		GR_AUTO_FREE char *url = NULL;
		struct gr_error err = {0};

		if (url_post(good[i][0], &url, &err) < 0)
			fail_msg("%s: %s", good[i][0], err.text);
		assert_string_equal(url, good[i][1]);
	}
	for (size_t i = 0; i < GR_COUNT(bad); i++) {
		char *url = NULL;
		struct gr_error err = {0};

		assert_int_equal(url_post(bad[i], &url, &err), -GR_CONFIG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_posts_to_https_and_to_this_machine_alone),
	        cmocka_unit_test(it_lets_the_server_and_allowed_hosts_pass),
	        cmocka_unit_test(it_joins_paths_to_the_server),
	        cmocka_unit_test(it_refuses_other_servers),
	        cmocka_unit_test(it_refuses_what_parsers_disagree_about),
	        cmocka_unit_test(it_refuses_other_schemes),
	        cmocka_unit_test(it_refuses_this_machine_in_every_spelling),
	        cmocka_unit_test(it_takes_local_addresses_when_the_server_is_local_itself),
	        cmocka_unit_test(it_refuses_long_urls),
	        cmocka_unit_test(it_reads_the_url_of_the_server),
	        cmocka_unit_test(it_refuses_servers_that_would_give_the_token_away),
	        cmocka_unit_test(it_knows_special_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
