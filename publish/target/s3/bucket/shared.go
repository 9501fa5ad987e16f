package bucket

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/ini.v1"

	"galbuild/build/regularfile"
)

// maxShared bounds AWS's shared configuration file, in bytes.
const maxShared = 1 << 20

// shared are the settings of a profile in AWS's shared configuration file that AWS's own
// tools use for S3. Keys are read by [Config.credentials].
type shared struct {
	region, endpoint, ca string
	style                Style
	role                 *role // nil if the profile names none
}

// readShared returns the settings of the profile, which are empty if there is no file or no
// such profile.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
func (c *Config) readShared() (s shared, err error) {
	file := os.Getenv("AWS_CONFIG_FILE")
	if home, err := os.UserHomeDir(); file == "" && err == nil {
		file = filepath.Join(home, ".aws", "config")
	}
	text, err := regularfile.ReadFile(file, maxShared)
	if errors.Is(err, fs.ErrNotExist) || file == "" {
		return s, nil
	}
	var all *ini.File
	if err == nil {
		all, err = ini.LoadSources(ini.LoadOptions{AllowNestedValues: true, SkipUnrecognizableLines: true}, text)
	}
	if err != nil {
		return s, fmt.Errorf("s3: read %s: %w", file, err)
	}
	name := cmp.Or(c.Profile, os.Getenv("AWS_PROFILE"), "default")
	profile := all.Section("profile " + name)
	if name == "default" && len(profile.Keys()) == 0 {
		profile = all.Section(name)
	}
	s = shared{region: profile.Key("region").String(), ca: profile.Key("ca_bundle").String()}
	s.role = readRole(profile, cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), s.region))
	if !strings.EqualFold(os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		services := all.Section("services " + profile.Key("services").String())
		s.endpoint = cmp.Or(nested(services, "endpoint_url"), profile.Key("endpoint_url").String())
	}
	if style := Style(nested(profile, "addressing_style")); style == Path || style == VirtualHost {
		s.style = style
	}
	return s, nil
}

// nested returns a setting below "s3 =" in a section, or "".
func nested(section *ini.Section, name string) string {
	for _, line := range section.Key("s3").NestedValues() {
		if key, value, _ := strings.Cut(line, "="); strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
