package download

import (
	"errors"
	"fmt"
	"net/http"

	"galbuild/build/retry"
)

// statusError returns the error for a response with a status other than 200, 206 and 304.
func (j *job) statusError(response *http.Response) error {
	host := response.Request.URL.Host
	var err error
	switch response.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		err = fmt.Errorf("there is no such file on %s", host)
	case http.StatusUnauthorized:
		err = j.unauthorized(host)
	case http.StatusForbidden:
		err = fmt.Errorf("%s does not allow the download", host)
	case http.StatusProxyAuthRequired:
		err = errors.New("the proxy requires credentials; " + retry.ProxyLogin)
	default:
		err = fmt.Errorf("%s did not send the %s", host, j.Kind.Name)
	}
	err = fmt.Errorf("%w (%s)", err, response.Status)
	if retry.IsTemporaryStatus(response) {
		return retry.Temporary(err, response)
	}
	return err
}

func (j *job) unauthorized(host string) error {
	if j.Login == nil {
		return fmt.Errorf("%s requires credentials; write https://user:password@%s/…", host, host)
	}
	return fmt.Errorf("%s does not accept the credentials", host)
}
