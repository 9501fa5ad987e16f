package bucket

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// OSS completes c for a bucket of Aliyun OSS. Region is enough, such as cn-hangzhou or
// oss-cn-hangzhou; its default is the variable OSS_REGION. Endpoint is needed to reach OSS from
// inside its network (https://s3.oss-cn-hangzhou-internal.aliyuncs.com) or by another name. If
// Region is empty, OSS uses the region in Endpoint.
func OSS(c Config) (Config, error) {
	c.Region = strings.TrimPrefix(cmp.Or(c.Region, os.Getenv("OSS_REGION")), "oss-")
	if found := regionOfOSS.FindStringSubmatch(c.Endpoint); c.Region == "" && found != nil {
		c.Region = found[1]
	}
	if c.Region == "" {
		return c, fmt.Errorf("oss: the region of bucket %s is not known: give it as region, or in OSS_REGION, such as cn-hangzhou", c.Bucket)
	}
	c.Endpoint = cmp.Or(c.Endpoint, "https://s3.oss-"+c.Region+".aliyuncs.com")
	c.Style = VirtualHost
	c.Conditional = Never
	c.oss = true
	return c, nil
}

var regionOfOSS = regexp.MustCompile(`(?:^|[/.])oss-([a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com`)
