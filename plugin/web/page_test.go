package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// pageLimit is what all files of the page may weigh together, in bytes.
const pageLimit = 100_000

func TestPageIsLight(t *testing.T) {
	total := 0
	err := fs.WalkDir(pageFiles, "page", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := pageFiles.ReadFile(name)
		total += len(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the page weighs %d bytes", total)
	if total >= pageLimit {
		t.Errorf("the page weighs %d bytes, not less than %d", total, pageLimit)
	}
}

// TestPageIsServed asks for the page and for every file that its files name, as a browser does.
func TestPageIsServed(t *testing.T) {
	named := regexp.MustCompile(`(?:href="|src="|from "\./)([a-z]+\.(?:js|css|svg))"`)
	inline := regexp.MustCompile(`<script>|<style|\sstyle="|\son[a-z]+="`)
	asked := map[string]bool{"": true}
	for queue := []string{""}; len(queue) > 0; queue = queue[1:] {
		r := httptest.NewRecorder()
		Page().ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/"+queue[0], nil))
		body := r.Body.String()
		if r.Code != http.StatusOK || r.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("/%s is %d, %v", queue[0], r.Code, r.Header())
		}
		if inline.MatchString(body) {
			t.Errorf("/%s has script or style that stands in the page", queue[0])
		}
		for _, address := range regexp.MustCompile(`https?://[^\s"']+`).FindAllString(body, -1) {
			if !strings.HasPrefix(address, "http://www.w3.org/2000/svg") {
				t.Errorf("/%s names %s: the page asks nothing of anywhere else", queue[0], address)
			}
		}
		for _, m := range named.FindAllStringSubmatch(body, -1) {
			if !asked[m[1]] {
				asked[m[1]] = true
				queue = append(queue, m[1])
			}
		}
	}
	files, _ := fs.Glob(pageFiles, "page/*")
	if len(asked) != len(files) { // the index is asked for by its folder
		t.Errorf("%d files are named, %d are there", len(asked), len(files))
	}
}
