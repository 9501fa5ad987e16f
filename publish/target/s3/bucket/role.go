package bucket

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"gopkg.in/ini.v1"
)

// A role is a role that a profile in AWS's shared configuration file names, and whose
// temporary credentials are requested with other credentials.
type role struct {
	arn, session, externalID, duration, mfa string
	profile, source                         string // where the other credentials come from
	region                                  string // the region of the STS endpoint
}

// readRole returns the role of a profile, or nil.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
func readRole(profile *ini.Section, region string) *role {
	key := func(name string) string { return profile.Key(name).String() }
	r := role{
		arn: key("role_arn"), session: cmp.Or(key("role_session_name"), "galbuild"), externalID: key("external_id"), duration: key("duration_seconds"),
		mfa: key("mfa_serial"), profile: key("source_profile"), source: key("credential_source"), region: cmp.Or(region, "us-east-1"),
	}
	if r.arn == "" || key("web_identity_token_file") != "" {
		return nil
	}
	return &r
}

// An assumedRole requests the credentials of a role. It implements [credentials.Provider].
type assumedRole struct {
	credentials.STSAssumeRole
	from credentials.Provider
	name string // of the source
}

// provider returns the provider of a role's credentials, which are requested through base.
func (r *role) provider(base http.RoundTripper) credentials.Provider {
	p := &assumedRole{name: "source_profile " + r.profile, from: &credentials.FileAWSCredentials{Profile: r.profile}}
	client := &http.Client{Transport: base}
	switch {
	case r.mfa != "":
		return failing{err: errors.New("the profile requires a code (mfa_serial): set the variables that aws configure export-credentials prints")}
	case r.profile != "":
	case r.source == "Environment":
		p.name, p.from = "the environment", environment("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
	case r.source == "Ec2InstanceMetadata", r.source == "EcsContainer":
		p.name, p.from = "the machine's role", &credentials.IAM{Client: &http.Client{Transport: base, Timeout: roleTimeout}}
	default:
		return failing{err: errors.New("the profile has role_arn, but neither source_profile nor credential_source")}
	}
	p.Client = client
	p.STSEndpoint = cmp.Or(os.Getenv("AWS_ENDPOINT_URL_STS"), "https://sts."+r.region+".amazonaws.com")
	p.Options = credentials.STSAssumeRoleOptions{Location: r.region, RoleARN: r.arn, RoleSessionName: r.session, ExternalID: r.externalID}
	if _, err := fmt.Sscan(cmp.Or(r.duration, "0"), &p.Options.DurationSeconds); err != nil {
		return failing{err: fmt.Errorf("duration_seconds %q: want a number", r.duration)}
	}
	return p
}

// RetrieveWithCredContext implements [credentials.Provider].
func (p *assumedRole) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	value, err := p.from.RetrieveWithCredContext(cc)
	if err == nil && (value.AccessKeyID == "" || value.SecretAccessKey == "") {
		err = errors.New("no keys")
	}
	if err != nil {
		return credentials.Value{}, fmt.Errorf("assume %s with %s: %w", p.Options.RoleARN, p.name, err)
	}
	p.Options.AccessKey, p.Options.SecretKey, p.Options.SessionToken = value.AccessKeyID, value.SecretAccessKey, value.SessionToken
	value, err = p.STSAssumeRole.RetrieveWithCredContext(cc)
	if err != nil {
		return value, fmt.Errorf("assume %s with %s: %w", p.Options.RoleARN, p.name, err)
	}
	return value, nil
}

// Retrieve implements [credentials.Provider].
func (p *assumedRole) Retrieve() (credentials.Value, error) { return p.RetrieveWithCredContext(nil) }

// A failing provider returns an error instead of credentials.
type failing struct {
	pair
	err error
}

// RetrieveWithCredContext implements [credentials.Provider].
func (f failing) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	return credentials.Value{}, f.err
}
