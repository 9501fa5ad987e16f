package s3test

import (
	"crypto/rand"
	"os/exec"
	"testing"
)

// StartWithUsers runs a server that can have other users than the owner of its buckets.
func StartWithUsers(t testing.TB) *Server {
	t.Helper()
	return start(t, []string{"--iam-dir", t.TempDir()}, nil)
}

// User adds a user without rights, and returns the user's secret key. The access key is the name,
// by which a bucket policy names the user.
func (s *Server) User(t testing.TB, name string) (secretKey string) {
	t.Helper()
	secretKey = rand.Text()
	command := exec.CommandContext(t.Context(), s.program, "admin", "--access", s.AccessKey, "--secret", s.SecretKey, "--endpoint-url", s.URL,
		"create-user", "--access", name, "--secret", secretKey, "--role", "user")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s create-user: %v\n%s", s.program, err, output)
	}
	return secretKey
}
