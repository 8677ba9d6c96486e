// usage: node readers.mjs MODULES FOLDER RUN...: what programs of others count in FOLDER/RUN/junit.xml, and whether the published schema
// takes ctrf.json. One line of JSON: {RUN: {READER: [passed, failed, skipped]}}.
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

const [modules, folder, ...runs] = process.argv.slice(2);
const require = createRequire(path.join(modules, 'package.json'));
const load = name => import(pathToFileURL(name));
const Ajv = require('ajv');
const parser = require('test-results-parser');
const {parse: junit2json} = await load(require.resolve('junit2json'));
const xunitViewer = (await load(path.join(modules, 'node_modules/xunit-viewer/src/cli/parse.js'))).default;
const schema = JSON.parse(fs.readFileSync(path.join(modules, 'node_modules/ctrf/dist/ctrf-schema-0.0.json'), 'utf8'));
const isCtrf = new Ajv({strict: false, validateFormats: false}).compile(schema);

function testResultsParser(file) {
	const result = parser.parse({type: 'junit', files: [file]});

	return [result.passed, result.failed + result.errors, result.skipped];
}

async function viaJunit2json(text) {
	const cases = (await junit2json(text)).testsuite.flatMap(suite => suite.testcase);
	const failed = cases.filter(test => test.failure || test.error).length;
	const skipped = cases.filter(test => test.skipped).length;

	return [cases.length - failed - skipped, failed, skipped];
}

// It takes the name of an element that it does not know for a status: a flaky test is "flakyFailure", neither failed nor skipped.
async function viaXunitViewer(text) {
	const tests = Object.values((await xunitViewer(text)).suites).flatMap(suite => Object.values(suite.tests));
	const count = word => tests.filter(test => test.status === word).length;

	return [count('passed') + count('flakyFailure'), count('failure') + count('error'), count('skipped')];
}

const found = {};
for (const run of runs) {
	const file = path.join(folder, run, 'junit.xml');
	const text = fs.readFileSync(file, 'utf8');

	found[run] = {
		'test-results-parser': testResultsParser(file),
		junit2json: await viaJunit2json(text),
		'xunit-viewer': await viaXunitViewer(text),
	};
	if (!isCtrf(JSON.parse(fs.readFileSync(path.join(folder, run, 'ctrf.json'), 'utf8'))))
		found[run].ctrf = isCtrf.errors.slice(0, 3).map(error => `${error.instancePath} ${error.message}`).join('; ');
}
console.log(JSON.stringify(found));
