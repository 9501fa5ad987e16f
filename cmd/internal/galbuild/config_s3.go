package galbuild

import (
	"fmt"
	"io"
	"strings"

	"galbuild/publish/inbox"
	"galbuild/publish/target/s3"
	"galbuild/render/deploy"
)

type s3CORSCmd struct {
	XML bool `name:"xml" help:"Print the policy in the XML of the S3 protocol, instead of JSON for the aws command."`
}

func (c *s3CORSCmd) Run(e *env) error {
	policy := s3.CORSJSON()
	if c.XML {
		policy = s3.CORSXML()
	}
	_, err := io.WriteString(e.stdout, policy)
	return err
}

type s3PolicyCmd struct {
	Bucket string   `arg:"" placeholder:"BUCKET" help:"The bucket with the site: BUCKET[/PREFIX]."`
	Inbox  []string `placeholder:"PUBLISHER[=USER]" help:"Also let a user, named as the server names users in bucket policies, submit packages of this publisher to the inbox. Without a user, print only the policy of such a user."`
}

func (c *s3PolicyCmd) Run(e *env) error {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(c.Bucket, "s3://"), "/")
	if bucket == "" {
		return fmt.Errorf("%q: want BUCKET[/PREFIX]", c.Bucket)
	}
	policy := deploy.BucketPolicy(bucket, prefix)
	if len(c.Inbox) > 0 {
		var err error
		if policy, err = c.inboxPolicy(bucket, prefix); err != nil {
			return err
		}
	}
	_, err := io.WriteString(e.stdout, policy)
	return err
}

// inboxPolicy returns the bucket policy with authors, or that of a single author.
func (c *s3PolicyCmd) inboxPolicy(bucket, prefix string) (string, error) {
	var authors []deploy.Author
	for _, arg := range c.Inbox {
		publisher, user, _ := strings.Cut(arg, "=")
		if err := inbox.CheckPublisher(publisher); err != nil {
			return "", fmt.Errorf("--inbox %s: %w", arg, err)
		}
		if user == "" && len(c.Inbox) > 1 {
			return "", fmt.Errorf("--inbox %s: the user is missing: only one publisher can be named without one", arg)
		}
		authors = append(authors, deploy.Author{Publisher: publisher, User: user})
	}
	if authors[0].User == "" {
		return deploy.AuthorPolicy(bucket, prefix, authors[0].Publisher), nil
	}
	return deploy.BucketPolicy(bucket, prefix, authors...), nil
}
