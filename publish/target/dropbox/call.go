package dropbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/rest"
)

const (
	apiURL     = "https://api.dropboxapi.com/2/"
	contentURL = "https://content.dropboxapi.com/2/"
)

// Arguments of API calls, with the API's names.
type (
	pathArg struct {
		Path string `json:"path"`
	}
	copyArg struct {
		From string `json:"from_path"`
		To   string `json:"to_path"`
	}
	listArg struct {
		Path      string `json:"path"`
		Recursive bool   `json:"recursive"`
		Limit     int    `json:"limit"`
	}
	continueArg struct {
		Cursor string `json:"cursor"`
	}
	deleteArg struct {
		Path string `json:"path"`
		Rev  string `json:"parent_rev"`
	}
	deleteBatchArg struct {
		Entries []deleteArg `json:"entries"`
	}
	jobArg struct {
		ID string `json:"async_job_id"`
	}
	startArg struct {
		Hash string `json:"content_hash"`
	}
	appendArg struct {
		Cursor cursor `json:"cursor"`
		Hash   string `json:"content_hash"`
	}
	finishArg struct {
		Cursor cursor `json:"cursor"`
		Commit commit `json:"commit"`
	}
	uploadArg struct {
		commit
		Hash string `json:"content_hash"`
	}
	cursor struct {
		ID     string `json:"session_id"`
		Offset int64  `json:"offset"`
	}
	// commit describes the file to create. Mute suppresses notifications of users.
	commit struct {
		Path   string `json:"path"`
		Mode   any    `json:"mode"`
		Strict bool   `json:"strict_conflict"`
		Mute   bool   `json:"mute"`
	}
	update struct {
		Tag string `json:".tag"`
		Rev string `json:"update"`
	}
)

// metadata describes a file or a folder.
type metadata struct {
	Tag            string `json:".tag"` // "file" or "folder"; "" where only a file is possible
	Name           string `json:"name"`
	PathDisplay    string `json:"path_display"`
	Rev            string `json:"rev"`
	Size           int64  `json:"size"`
	ContentHash    string `json:"content_hash"`
	ServerModified string `json:"server_modified"`
}

// rpc makes a call whose argument and result are JSON.
func (t *Target) rpc(ctx context.Context, call string, arg, result any) error {
	body, err := json.Marshal(arg)
	if err != nil {
		return err
	}
	r, err := t.request(ctx, apiURL+call, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	return t.do(ctx, r, result)
}

// send makes a call that uploads bytes.
func (t *Target) send(ctx context.Context, call string, arg any, body []byte, result any) error {
	r, err := t.contentRequest(ctx, call, arg, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	return t.do(ctx, r, result)
}

func (t *Target) do(ctx context.Context, r rest.Request, result any) error {
	if result == nil {
		return t.client.Do(ctx, r, rest.Discard)
	}
	return t.client.Do(ctx, r, rest.JSON(result))
}

func (t *Target) contentRequest(ctx context.Context, call string, arg any, body []byte) (rest.Request, error) {
	b, err := json.Marshal(arg)
	if err != nil {
		return rest.Request{}, err
	}
	r, err := t.request(ctx, contentURL+call, body)
	if err == nil {
		r.Header.Set("Dropbox-API-Arg", ascii(string(b)))
	}
	return r, err
}

func (t *Target) request(ctx context.Context, url string, body []byte) (rest.Request, error) {
	token, err := t.tokens.get(ctx)
	if err != nil {
		return rest.Request{}, err
	}
	header := http.Header{"Authorization": {"Bearer " + token}}
	return rest.Request{Method: http.MethodPost, URL: url, Header: header, Body: rest.Bytes(body), Size: int64(len(body))}, nil
}

// ascii escapes JSON for a header, which must be ASCII.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < 0x7f {
			b.WriteByte(byte(r))
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// revision returns the revision of a file that is being downloaded.
func revision(response *http.Response) (string, error) {
	var file metadata
	if err := json.Unmarshal([]byte(response.Header.Get("Dropbox-API-Result")), &file); err != nil || file.Rev == "" {
		return "", errors.New("the response does not come from Dropbox: is there a proxy that changes it?")
	}
	return file.Rev, nil
}

// metadata returns the metadata of the file at a path. A folder is ErrNotExist.
func (t *Target) metadata(ctx context.Context, path string) (metadata, error) {
	var m metadata
	err := t.rpc(ctx, "files/get_metadata", pathArg{path}, &m)
	if isError(err, "path/not_found/") || err == nil && m.Tag != "file" {
		err = target.ErrNotExist
	}
	return m, err
}

// apiError is the JSON of an error response, with the fields of some kinds of errors.
type apiError struct {
	Summary string `json:"error_summary"`
	Error   struct {
		UploadSessionID string `json:"upload_session_id"`
		CorrectOffset   int64  `json:"correct_offset"`
		RequiredScope   string `json:"required_scope"`
	} `json:"error"`
}

// errorOf returns the error response in err. It is zero if there is none.
func errorOf(err error) apiError {
	if e, ok := errors.AsType[*rest.StatusError](err); ok {
		return decode(e)
	}
	return apiError{}
}

func decode(e *rest.StatusError) (r apiError) {
	if json.Unmarshal(e.Body, &r) != nil {
		return apiError{} // the response of a proxy
	}
	return r
}

// isError reports whether err is an error response of a kind. Dropbox appends dots and other
// text to the kind.
func isError(err error, kind string) bool {
	return err != nil && strings.HasPrefix(errorOf(err).Summary, kind)
}

// isTemporary reports whether a request is to be retried after this error, by the documentation of
// the API.
func isTemporary(e *rest.StatusError) bool {
	summary := decode(e).Summary
	return e.Status == http.StatusConflict && (strings.Contains("/"+summary, "/too_many_write_operations/") || strings.HasPrefix(summary, "internal_error/"))
}

// failed returns err with the operation, the key and a hint.
func (t *Target) failed(operation, key string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*rest.StatusError](err); ok {
		err = t.explain(e)
	}
	return fmt.Errorf("%s: %s %s: %w", t, operation, key, err)
}

// hints explain error responses, by the beginnings of their summaries.
var hints = []struct{ kind, text string }{
	{"expired_access_token/", "the token has expired; set DROPBOX_TOKEN to a new one, or DROPBOX_REFRESH_TOKEN and DROPBOX_APP_KEY"},
	{"invalid_access_token/", "the token is not accepted; set DROPBOX_TOKEN to one of the app that owns the folder"},
	{"path/conflict/folder/", "there is a folder of this name"},
	{"path/conflict/file_ancestor/", "a parent folder is a file"},
	{"path/insufficient_space/", "the Dropbox is full"},
	{"to/insufficient_space/", "the Dropbox is full"},
	{"insufficient_quota/", "the Dropbox is full"},
	{"path/no_write_permission/", "the user has no permission to write; ask the owner of the shared folder"},
	{"path/disallowed_name/", "Dropbox does not store files of this name"},
	{"path/malformed_path/", "Dropbox does not store files of this name"},
}

func (t *Target) explain(e *rest.StatusError) error {
	r := decode(e)
	for _, kind := range []string{"path/not_found/", "path/not_file/", "from_lookup/not_found/", "from_lookup/not_file/"} {
		if strings.HasPrefix(r.Summary, kind) {
			return target.ErrNotExist
		}
	}
	for _, hint := range hints {
		if strings.HasPrefix(r.Summary, hint.kind) {
			return fmt.Errorf("%s (the response is %q)", hint.text, r.Summary)
		}
	}
	switch {
	case r.Error.RequiredScope != "":
		return fmt.Errorf("the app lacks a permission: give it %s in the App Console, then make a new token", r.Error.RequiredScope)
	case r.Summary != "":
		return fmt.Errorf("the response is %q (%d)", r.Summary, e.Status)
	case e.Status == http.StatusUnauthorized:
		return errors.New("the token is not accepted; set DROPBOX_TOKEN")
	case e.Status == http.StatusBadRequest:
		return fmt.Errorf("%w: %.200q", e, e.Body)
	}
	return e
}
