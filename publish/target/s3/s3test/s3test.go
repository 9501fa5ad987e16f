// Package s3test runs a real S3 server for tests: versitygw, which stores objects as files, checks
// signatures and checksums, and honours conditions.
//
// The first use builds versitygw from the Go module proxy into the user's cache folder, where the
// end-to-end tests have their components. That takes minutes.
package s3test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"galbuild/build/porttest"
)

// version is the version of versitygw. To raise it, find the latest with `go list -m -versions
// github.com/versity/versitygw`, change the constant and run `make e2e`.
const version = "v1.8.0"

// Server is a running server.
type Server struct {
	URL                  string // http://127.0.0.1:port, or https with --cert
	Host                 string // 127.0.0.1:port
	AccessKey, SecretKey string
	Client               *minio.Client // for requests that a target does not make

	program string // of versitygw
}

// Start runs a server until the test ends. more are global arguments of versitygw.
func Start(t testing.TB, more ...string) *Server {
	t.Helper()
	return start(t, more, nil)
}

// StartVersioned runs a server whose buckets can have versioning.
func StartVersioned(t testing.TB) *Server {
	t.Helper()
	folder, _ := folders(t)
	return start(t, nil, []string{"--versioning-dir", folder})
}

// start runs a server with global arguments and arguments of the backend.
func start(t testing.TB, more, backend []string) *Server {
	t.Helper()
	program, err := install(t.Context())
	if err != nil {
		t.Fatalf("install versitygw, which needs a Go module proxy (GOPROXY) or a copy of its folder: %v", err)
	}
	s := &Server{Host: porttest.Address(t), AccessKey: rand.Text(), SecretKey: rand.Text(), program: program}
	s.connect(t, slices.Contains(more, "--cert"))
	folder, metadata := folders(t)
	arguments := append([]string{"--port", s.Host, "--quiet", "--keep-alive"}, more...)
	arguments = slices.Concat(arguments, []string{"posix"}, metadata, backend, []string{folder})
	server := exec.Command(program, arguments...)
	server.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	log := &strings.Builder{}
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("versitygw: %s", log)
		}
	})
	s.wait(t)
	return s
}

// connect sets URL and Client. The client accepts every certificate.
func (s *Server) connect(t testing.TB, secure bool) {
	s.URL = "http://" + s.Host
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if secure {
		s.URL = "https://" + s.Host
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	var err error
	s.Client, err = minio.New(s.Host, &minio.Options{
		Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""), Region: "us-east-1", Secure: secure, Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *Server) wait(t testing.TB) {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", s.Host)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("versitygw does not listen: %v", err)
		}
	}
}

// A User is an account that may do what a bucket's policy allows it.
type User struct{ AccessKey, SecretKey string }

// WithUsers are arguments for [Start] of a server with users.
func WithUsers(t testing.TB) []string { return []string{"--iam-dir", t.TempDir()} }

// CreateUser creates a user on a server that was started [WithUsers].
func (s *Server) CreateUser(t testing.TB) User {
	t.Helper()
	u := User{"user-" + strings.ToLower(rand.Text()), rand.Text()}
	s.admin(t, "create-user", "--access", u.AccessKey, "--secret", u.SecretKey, "--role", "user")
	return u
}

// DeleteUser deletes a user, whose requests are refused afterwards.
func (s *Server) DeleteUser(t testing.TB, u User) {
	t.Helper()
	s.admin(t, "delete-user", "--access", u.AccessKey)
}

func (s *Server) admin(t testing.TB, arguments ...string) {
	t.Helper()
	program, err := install(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	arguments = append([]string{"admin", "--access", s.AccessKey, "--secret", s.SecretKey, "--endpoint-url", s.URL, "--allow-insecure"}, arguments...)
	if out, err := exec.Command(program, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("versitygw admin: %v\n%s", err, out)
	}
}

// ReadOnly allows users to read the objects of a bucket, and nobody anything else.
func (s *Server) ReadOnly(t testing.TB, bucket string, users ...User) {
	t.Helper()
	var keys []string
	for _, u := range users {
		keys = append(keys, fmt.Sprintf("%q", u.AccessKey))
	}
	policy := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": [%s]}, `+
		`"Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::%s/*"]}]}`, strings.Join(keys, ", "), bucket)
	if err := s.Client.SetBucketPolicy(t.Context(), bucket, policy); err != nil {
		t.Fatal(err)
	}
}

// Bucket creates a bucket and returns its name.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := "b-" + strings.ToLower(rand.Text())
	if err := s.Client.MakeBucket(t.Context(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return name
}

// folders returns the folder of the objects, and arguments that choose where versitygw stores
// their metadata: in extended attributes, or in a separate folder if the file system has none.
func folders(t testing.TB) (objects string, arguments []string) {
	for _, parent := range []string{"", "/dev/shm"} {
		folder, err := os.MkdirTemp(parent, "versitygw")
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = os.RemoveAll(folder) })
		if hasAttributes(folder) {
			return folder, nil
		}
	}
	return t.TempDir(), []string{"--sidecar", t.TempDir()}
}

// install returns the path of the program. If it does not exist, install builds it in a temporary
// folder and renames that.
func install(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "galbuild-e2e")
	folder := filepath.Join(cache, "versitygw-"+strings.TrimPrefix(version, "v"))
	program := filepath.Join(folder, "versitygw")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	lock := flock.New(filepath.Join(cache, "versitygw.lock")) // for concurrent test runs
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return "", err
	}
	defer lock.Close()
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	partial := folder + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return "", err
	}
	// Networks sometimes fail, and Go does not repeat downloads.
	err = build(ctx, partial)
	for _, pause := range []time.Duration{5 * time.Second, 20 * time.Second} {
		if err == nil || ctx.Err() != nil {
			break
		}
		time.Sleep(pause)
		err = build(ctx, partial)
	}
	if err != nil {
		return "", err
	}
	return program, os.Rename(partial, folder)
}

// build downloads and compiles versitygw.
func build(ctx context.Context, folder string) error {
	command := exec.CommandContext(ctx, "go", "install", "github.com/versity/versitygw/cmd/versitygw@"+version)
	command.Dir = filepath.Dir(folder) // outside of any module
	command.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=")
	if output, err := command.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", command, err), errors.New(string(output)))
	}
	return nil
}
