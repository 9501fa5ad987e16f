// Lists the entries that yauzl, the library of VS Code, finds in archives: node yauzl.js MODULE FILE…
// It prints a line of JSON for each: {"error": TEXT} or {"entries": [[NAME, SHA-256], …]}.
const crypto = require("crypto");
const yauzl = require(process.argv[2]);

// For offsets above 2^53, yauzl throws an error in a callback, where it cannot be caught.
let fail;
process.on("uncaughtException", (error) => fail(error));

function list(file) {
  return new Promise((resolve) => {
    const entries = [];
    fail = (error) => resolve({ error: error.message });
    yauzl.open(file, { lazyEntries: true }, (error, zip) => {
      if (error) return fail(error);
      zip.once("error", fail);
      zip.once("end", () => resolve({ entries }));
      zip.on("entry", (entry) => {
        if (/\/$/.test(entry.fileName)) return zip.readEntry();
        zip.openReadStream(entry, (error, stream) => {
          if (error) return fail(error);
          const hash = crypto.createHash("sha256");
          stream.once("error", fail);
          stream.on("data", (data) => hash.update(data));
          stream.once("end", () => {
            entries.push([entry.fileName, hash.digest("hex")]);
            zip.readEntry();
          });
        });
      });
      zip.readEntry();
    });
  });
}

(async () => {
  for (const file of process.argv.slice(3)) console.log(JSON.stringify(await list(file)));
})();
