package cmd_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var soakTime = flag.Duration("soak", 10*time.Second, "how long TestSoak puts load on galshim")

// TestSoak sends requests of all kinds to galshim while the generation is replaced every second.
// Every response must be complete and of one generation, memory must not grow, and all descriptors
// must be closed in the end.
func TestSoak(t *testing.T) {
	site := newChangingSite(t)
	shim := startSoaked(t, buildShim(t), site.dir)

	idle := usageOf(t, shim.process.Process.Pid)
	deadline := time.Now().Add(*soakTime)
	var clients sync.WaitGroup
	var sent [numKinds]atomic.Int64
	for i := range 8 {
		c := newSoakClient(shim.base, i%2 == 1, i%4 >= 2)
		random := rand.New(rand.NewPCG(uint64(i), 0))
		clients.Go(func() {
			for n := i; time.Now().Before(deadline) && !t.Failed(); n++ {
				if err := c.send(n%numKinds, random); err != nil {
					t.Errorf("%s: %v", kindNames[n%numKinds], err)
				}
				sent[n%numKinds].Add(1)
				time.Sleep(c.pause)
			}
			c.http.CloseIdleConnections()
		})
	}
	var used []usage
	for n := 0; time.Now().Before(deadline); n++ {
		g := n % len(site.generations)
		site.switchTo(t, g)
		shim.awaitGeneration(t, site.generations[g])
		time.Sleep(time.Second)
		used = append(used, usageOf(t, shim.process.Process.Pid))
	}
	clients.Wait()
	shim.awaitDescriptors(t, idle.descriptors)
	shim.stop(t)

	for kind, n := range kindNames {
		t.Logf("%-8s %8d requests", n, sent[kind].Load())
	}
	t.Logf("%d switches, %d generations served", len(used), shim.served)
	if shim.served != len(used) {
		t.Errorf("%d generations served after %d switches", shim.served, len(used))
	}
	checkGrowth(t, used)
}

// usage is what a process uses of the system. It is zero on systems where it cannot be read.
type usage struct {
	anonymous   int64 // bytes of memory that is not mapped from files
	descriptors int
}

// checkGrowth compares the memory in the last tenth of a run with that in the third one, in which
// every generation has been served before.
func checkGrowth(t *testing.T, used []usage) {
	t.Helper()
	most := func(part []usage) (m int64) {
		for _, u := range part {
			m = max(m, u.anonymous)
		}
		return m
	}
	n := len(used)
	if n < 10 {
		t.Log("the run was too short to compare memory")
		return
	}
	early, late := most(used[n*2/10:n*3/10]), most(used[n*9/10:])
	t.Logf("%.1f MiB of anonymous memory at most early, %.1f late", float64(early)/(1<<20), float64(late)/(1<<20))
	settled := *soakTime >= 2*time.Minute // the size of the heap is not stable before
	if settled && late > early+16<<20 {
		t.Error("memory has grown")
	}
}

// A changingSite is a site with three generations. Generation g has the extensions 0 to 119+20g,
// each in the versions 1.0.0 and 1.g.0.
type changingSite struct {
	dir         string
	copies      string   // copies of the generations' folders, and of their chunks in folders NAME.chunks
	generations []string // their names
	current     []string // the text of index/CURRENT
}

// minExtensions is the number of extensions in every generation.
const minExtensions = 120

func extensionsOf(generation int) int { return minExtensions + 20*generation }

func newChangingSite(t *testing.T) *changingSite {
	dir := t.TempDir()
	s := &changingSite{dir: filepath.Join(dir, "site"), copies: filepath.Join(dir, "copies")}
	for g := range 3 {
		for i := range extensionsOf(g) {
			writeVersion(t, filepath.Join(dir, "vsixs"), i, "1.0.0")
			writeVersion(t, filepath.Join(dir, "vsixs"), i, fmt.Sprintf("1.%d.0", g))
		}
		mustBuild(t, filepath.Join(dir, "vsixs"), "-o", s.dir)
		text, err := os.ReadFile(filepath.Join(s.dir, "index", "CURRENT"))
		if err != nil {
			t.Fatal(err)
		}
		name := strings.Split(string(text), "/")[1]
		s.generations, s.current = append(s.generations, name), append(s.current, string(text))
		err = errors.Join(
			os.CopyFS(filepath.Join(s.copies, name), os.DirFS(filepath.Join(s.dir, "index", name))),
			os.CopyFS(filepath.Join(s.copies, name+".chunks"), os.DirFS(filepath.Join(s.dir, "index", "chunks"))))
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// writeChunks writes the chunks of generation g that the site does not have.
func (s *changingSite) writeChunks(g int) error {
	from := filepath.Join(s.copies, s.generations[g]+".chunks")
	return s.eachChunk(from, func(name string) error {
		to := filepath.Join(s.dir, "index", "chunks", name)
		if _, err := os.Stat(to); err == nil {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		return errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to+".new", text, 0o644), os.Rename(to+".new", to))
	})
}

// removeChunks removes the chunks that only generation g has.
func (s *changingSite) removeChunks(g int) error {
	return s.eachChunk(filepath.Join(s.copies, s.generations[g]+".chunks"), func(name string) error {
		for other := range s.generations {
			if _, err := os.Stat(filepath.Join(s.copies, s.generations[other]+".chunks", name)); other != g && err == nil {
				return nil
			}
		}
		return os.RemoveAll(filepath.Join(s.dir, "index", "chunks", name))
	})
}

// eachChunk calls do with the path of each chunk in a folder of chunks, relative to the folder.
func (s *changingSite) eachChunk(folder string, do func(name string) error) error {
	return filepath.WalkDir(folder, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, file)
		return errors.Join(err, do(name))
	})
}

// switchTo makes generation g current, as a build does. It removes all but this generation and the
// previous one.
func (s *changingSite) switchTo(t *testing.T, g int) {
	index := filepath.Join(s.dir, "index")
	fresh, pointer := filepath.Join(index, "fresh"), filepath.Join(index, "CURRENT.new")
	oldest := (g + 1) % len(s.generations)
	err := errors.Join(
		s.writeChunks(g),
		os.RemoveAll(filepath.Join(index, s.generations[g])),
		os.CopyFS(fresh, os.DirFS(filepath.Join(s.copies, s.generations[g]))),
		os.Rename(fresh, filepath.Join(index, s.generations[g])),
		os.WriteFile(pointer, []byte(s.current[g]), 0o644),
		os.Rename(pointer, filepath.Join(index, "CURRENT")),
		os.RemoveAll(filepath.Join(index, s.generations[oldest])),
		s.removeChunks(oldest))
	if err != nil {
		t.Fatal(err)
	}
}

// soaked is a process of galshim.
type soaked struct {
	process *exec.Cmd
	started time.Time
	base    string
	served  int // number of new generations; valid after stop
	read    chan struct{}
}

// buildShim returns the path of a program galshim.
func buildShim(t testing.TB) string {
	program := filepath.Join(t.TempDir(), "galshim")
	if out, err := exec.Command("go", "build", "-o", program, "galbuild/cmd/galshim").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func startSoaked(t testing.TB, program, site string) *soaked {
	s := &soaked{started: time.Now(), process: exec.Command(program, "--index", site, "--listen", "127.0.0.1:0", "--reload", "100ms", "--log-format", "json"), read: make(chan struct{})}
	stderr, err := s.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.process.Process.Kill() }) // it is stopped before, unless the test fails
	log := bufio.NewScanner(stderr)
	for s.base == "" && log.Scan() {
		var line struct{ Msg, Addr string }
		if json.Unmarshal(log.Bytes(), &line) == nil && line.Msg == "listening" {
			s.base = line.Addr
		}
	}
	go func() {
		defer close(s.read)
		for log.Scan() {
			switch line := log.Text(); {
			case !strings.Contains(line, `"level":"INFO"`):
				t.Errorf("galshim: %s", line)
			case strings.Contains(line, `"msg":"serving a new generation"`):
				s.served++
			}
		}
	}()
	return s
}

// awaitGeneration waits until galshim serves a generation. Otherwise, on a busy machine, the
// generation could be removed while galshim opens it.
func (s *soaked) awaitGeneration(t *testing.T, name string) {
	await(t, "generation "+name+" served", func() bool {
		response, err := http.Get(s.base + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return err == nil && strings.Contains(string(text), name)
	})
	http.DefaultClient.CloseIdleConnections()
}

// awaitDescriptors waits until galshim has only n descriptors open, as before the first request.
func (s *soaked) awaitDescriptors(t *testing.T, n int) {
	await(t, "descriptors closed", func() bool { return usageOf(t, s.process.Process.Pid).descriptors <= n })
}

// await waits until a condition is true.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after %s: %s", patience, what)
		}
	}
}

func (s *soaked) stop(t testing.TB) {
	if err := s.process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-s.read
	if err := s.process.Wait(); err != nil {
		t.Error(err)
	}
}

// The kinds of requests.
const (
	popular = iota
	category
	words
	check
	single
	latest
	asset
	numKinds
)

var kindNames = [numKinds]string{"popular", "category", "text", "check", "single", "latest", "asset"}

// A soakClient makes the requests of one user.
type soakClient struct {
	http   *http.Client
	base   string
	coding string
	pause  time.Duration
}

// newSoakClient returns a client that keeps its connection, or, if short is set, opens one for each
// request. Then it pauses between requests, because there are not enough ports otherwise.
func newSoakClient(base string, compressed, short bool) *soakClient {
	c := &soakClient{
		http: &http.Client{Transport: &http.Transport{DisableKeepAlives: short, DisableCompression: true}},
		base: base, coding: "identity", pause: time.Millisecond,
	}
	if compressed {
		c.coding = "gzip"
	}
	if short {
		c.pause = 10 * time.Millisecond
	}
	return c
}

// send makes a request of a kind. It returns an error if the response is wrong.
func (c *soakClient) send(kind int, random *rand.Rand) error {
	name := func() string { return fmt.Sprintf("acme.ext-%d", random.IntN(minExtensions)) }
	switch kind {
	case popular:
		return c.query("", 50, 0)
	case category:
		return c.query(`{"filterType":5,"value":"themes"},`, 50, 0)
	case words:
		return c.query(`{"filterType":10,"value":"acme ex"},`, 50, 0)
	case check:
		var names strings.Builder
		for _, i := range random.Perm(minExtensions)[:60] {
			fmt.Fprintf(&names, `{"filterType":7,"value":"acme.ext-%d"},`, i)
		}
		return c.query(names.String(), 60, 60)
	case single:
		return c.query(fmt.Sprintf(`{"filterType":7,"value":%q},`, name()), 1, 1)
	case latest:
		return c.latest(name())
	}
	return c.asset(name())
}

// query makes a query. total is how many extensions match; 0 is all.
func (c *soakClient) query(criteria string, size, total int) error {
	body, err := c.fetch("POST", "/api/extensionquery", fmt.Sprintf(`{"filters":[{"criteria":[%s{"filterType":8,"value":"Microsoft.VisualStudio.Code"},`+
		`{"filterType":12,"value":"4096"}],"pageNumber":1,"pageSize":%d,"sortBy":4}],"flags":950}`, criteria, size))
	if err != nil {
		return err
	}
	var response struct {
		Results []struct {
			Extensions     []extensionResponse
			ResultMetadata []struct{ MetadataItems []struct{ Count int } }
		}
	}
	if err := json.Unmarshal(body, &response); err != nil {
		return err
	}
	if len(response.Results) != 1 || len(response.Results[0].Extensions) == 0 || len(response.Results[0].ResultMetadata) != 1 || len(response.Results[0].ResultMetadata[0].MetadataItems) != 1 {
		return fmt.Errorf("not one full result: %.300s", body)
	}
	result := response.Results[0]
	g, err := result.Extensions[0].generation()
	if err != nil {
		return err
	}
	if total == 0 {
		total = extensionsOf(g)
	}
	if count := result.ResultMetadata[0].MetadataItems[0].Count; count != total || len(result.Extensions) != size {
		return fmt.Errorf("%d extensions of %d, want %d of %d", len(result.Extensions), count, size, total)
	}
	for _, e := range result.Extensions {
		if other, err := e.generation(); err != nil || other != g {
			return fmt.Errorf("generations %d and %d in one response: %v", other, g, err)
		}
	}
	return nil
}

type extensionResponse struct {
	ExtensionName string
	Versions      []struct{ Version string }
}

// generation returns the generation of an extension: the minor version of its newest version.
func (e extensionResponse) generation() (g int, err error) {
	if len(e.Versions) == 0 {
		return 0, fmt.Errorf("%s has no version", e.ExtensionName)
	}
	_, err = fmt.Sscanf(e.Versions[0].Version, "1.%d.0", &g)
	return g, err
}

func (c *soakClient) latest(id string) error {
	body, err := c.fetch("GET", "/api/vscode/"+strings.Replace(id, ".", "/", 1)+"/latest", "")
	if err != nil {
		return err
	}
	var e extensionResponse
	if err := json.Unmarshal(body, &e); err != nil {
		return err
	}
	if _, err := e.generation(); err != nil || "acme."+e.ExtensionName != id {
		return fmt.Errorf("requested %s, got %s: %v", id, e.ExtensionName, err)
	}
	return nil
}

// asset requests a file that every generation has.
func (c *soakClient) asset(id string) error {
	body, err := c.fetch("GET", "/assets/"+strings.Replace(id, ".", "/", 1)+"/1.0.0/Microsoft.VisualStudio.Code.Manifest", "")
	if err != nil {
		return err
	}
	var manifest struct{ Name, Version string }
	if err := json.Unmarshal(body, &manifest); err != nil || "acme."+manifest.Name != id || manifest.Version != "1.0.0" {
		return fmt.Errorf("%s: got %s: %v", id, body, err)
	}
	return nil
}

// fetch returns the body of a successful response, decompressed.
func (c *soakClient) fetch(method, path, body string) ([]byte, error) {
	r, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Encoding", c.coding)
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	if slices.Equal(resp.Header["Content-Encoding"], []string{"gzip"}) {
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	}
	return io.ReadAll(resp.Body)
}
