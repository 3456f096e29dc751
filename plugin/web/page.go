// Package web is the page that shows the devices in a browser, and the HTTP server that it comes from. It imports
// nothing of ours.
package web

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed page
var pageFiles embed.FS

// Page serves the files of the page that shows a host in a browser. It talks to /api/ of the place it comes from and to
// nothing else.
func Page() http.Handler {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache") // another version may be there after the next start
		serve.ServeHTTP(w, r)
	})
}
