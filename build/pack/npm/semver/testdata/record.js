// Tells what node-semver makes of ranges. Argument: a folder with semver in its
// node_modules, or above. Input: a JSON list of lists, RANGE or RANGE VERSION. Output:
// a JSON list of texts. For RANGE, its minVersion, - if there is none, ! if it is no
// range. For RANGE VERSION, loose, whether it is in it, - if it is no range.
const fs = require('fs');
const semver = require(require.resolve('semver', { paths: [process.argv[2]] }));

function lowest(range) {
	if (semver.validRange(range) === null) return '!';
	const v = semver.minVersion(range);
	return v ? v.version : '-';
}

function contains(range, version) {
	if (semver.validRange(range, true) === null) return '-';
	return String(semver.satisfies(version, range, true));
}

const answer = ([range, version]) => version === undefined ? lowest(range) : contains(range, version);
process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(answer)));
