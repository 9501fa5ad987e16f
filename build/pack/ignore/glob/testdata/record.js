// Matches paths with minimatch, as vsce calls it.
//
//   node record.js FOLDER-OF-MINIMATCH
//
// Input: a JSON list of {"pattern": …, "paths": […]}. Output: a JSON list of
// {"pattern": …, "yes": […], "no": […]}, or {"pattern": …, "error": …} if minimatch threw an
// error or did not return within five seconds.
const { minimatch } = require(process.argv[2]);
const script = new (require('vm').Script)('matchAll()');

function result({ pattern, paths }) {
  globalThis.matchAll = () => {
    const found = { pattern, yes: [], no: [] };
    for (const path of paths) {
      (minimatch(path, pattern, { dot: true }) ? found.yes : found.no).push(path);
    }
    return found;
  };
  try {
    return script.runInThisContext({ timeout: 5000 });
  } catch (error) {
    return { pattern, error: error.message.split('\n')[0] };
  }
}

const queries = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(queries.map(result)));
