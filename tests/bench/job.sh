#!/bin/sh
# The main job with curl and jq alone, as one would write it by hand; what gridlane is compared with.
# usage: job.sh APK JUNIT   (TESTGRID_URL and TESTGRID_TOKEN in the environment)
set -eu
ask() {
	path=$1
	shift
	curl --silent --show-error --fail "$TESTGRID_URL$path" -F "user_token=$TESTGRID_TOKEN" "$@"
}
app_id=$(ask /api/user/applications | jq -r '[.. | objects | select(.app_name? == "Shop" or .name? == "Shop")][0] | .app_id // .id')
application=$(ask "/api/user/applications/$app_id/")
app_token=$(printf '%s' "$application" | jq -r '[.. | .application_token? // empty][0]')
version_id=$(printf '%s' "$application" | jq -r '[.. | .version_id? // empty][0]')
version_token=$(ask "/api/user/build/$version_id/" | jq -r '[.. | .version_token? // empty][0]')
upload=$(ask /ci/upload_app_build -F "application_token=$app_token" -F "version_token=$version_token" \
	-F build_name=app -F "upload_file=@$1")
build=$(printf '%s' "$upload" | jq -r '[.. | .app_build_id? // empty][0]')
device=$(ask /api/get-user-devices | jq -r '[.. | objects | select(.device_name? // "" | startswith("Pixel"))][0].s_device')
ask /api/build/app-install -F "application_token=$app_token" -F "version_token=$version_token" \
	-F process_type=oaa -F "s_device=$device" -F "app_build_id=$build" >/dev/null
number=$(ask /ci/app_build_run -F "application_token=$app_token" -F "version_token=$version_token" \
	-F version_module_id=12 -F "s_device=$device" -F process_type=oaa -F "app_build_id=$build" |
	jq -r .build_version)
polls=0
while [ $((polls += 1)) -le 60 ]; do
	details=$(ask /ci/execution_detail -F "application_token=$app_token" -F "build_number=$number")
	[ "$(printf '%s' "$details" | jq -r '.is_build_completed_in_all_devices')" != 1 ] || break
	sleep 1
done
printf '%s' "$details" | jq -r -f "${0%/*}/junit.jq" >"$2"
