package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"solarhub/plugin/config"
	"solarhub/plugin/host"
)

// loginTime is how long a person has for logging in.
const loginTime = 10 * time.Minute

var errLoginTime = fmt.Errorf("nobody logged in within %v", loginTime)

// tokenFileName is where the token goes if nobody says where: into the folder of the configuration.
const tokenFileName = "token.txt"

// loginFlags say where to log in, and where the token goes.
type loginFlags struct {
	config   configFlag
	url      string
	file     string
	insecure bool
	browser  bool
	paste    bool
}

func (a *app) loginCommand() *cobra.Command {
	var flags loginFlags
	command := &cobra.Command{
		Use:   "login",
		Short: "Get a token from Home Assistant and keep it in a file",
		Long: `Get an access token from Home Assistant and keep it in a file that only you can read, for the
configuration to name under token_file. It prints the address of a page; open it in your browser and
log in as an administrator. What you type there stays between your browser and Home Assistant.

If the browser is on another machine, it ends at a page that it cannot open: copy the address of that
page and paste it here. Or make a long-lived access token yourself in Home Assistant (your profile >
Security) and paste it. With --paste it asks for nothing but such a token, or reads it from a pipe.

The token is tried before it is kept, and an older file stays until then. Without --url and
--token-file they are those of the configuration. It gives up after ten minutes.`,
		Example: `  solarhub login --url http://homeassistant.local:8123
  solarhub login --browser                         the address and the file are in solarhub.yaml
  solarhub login --paste --token-file /etc/solarhub/token.txt < token`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			place, err := flags.place()
			if err != nil {
				return err
			}
			_, err = a.login(command.Context(), place, flags)
			return err
		},
	}
	f := command.Flags()
	flags.config.register(f)
	f.StringVar(&flags.url, "url", "", "address of Home Assistant, such as http://homeassistant.local:8123")
	f.StringVar(&flags.file, "token-file", "",
		"keep the token in this file (default token_file of the configuration, else "+tokenFileName+" beside it)")
	f.BoolVar(&flags.insecure, "insecure", false,
		"accept any certificate, such as one that Home Assistant signed itself; only on a network that you trust")
	f.BoolVar(&flags.browser, "browser", false, "open the page in the browser of this machine")
	f.BoolVar(&flags.paste, "paste", false, "take a long-lived token that you made yourself")
	return command
}

// loginPlace is a host, and the file for its token.
type loginPlace struct {
	address  host.Address
	insecure bool
	file     string
	named    bool // the configuration names the file
}

// place finds out where to log in: from the flags, else from the configuration, which need not be complete.
func (f loginFlags) place() (p loginPlace, err error) {
	begun, folder := config.Begun{}, "."
	if path, err := f.config.find(); err == nil {
		if begun, err = config.ReadBegun(path); err != nil {
			return p, err
		}
		folder = filepath.Dir(path)
	} else if f.config.path != "" || f.url == "" {
		return p, usagef("where is Home Assistant? Name its address with --url, such as " +
			"http://homeassistant.local:8123, or a configuration with --config")
	}
	p.file = cmp.Or(f.file, begun.TokenFile, filepath.Join(folder, tokenFileName))
	p.named = p.file == begun.TokenFile
	p.insecure = f.insecure || begun.Insecure
	if p.address, err = host.ParseAddress(cmp.Or(f.url, begun.URL)); err != nil {
		err = usage(err)
	}
	return p, err
}

// login gets a token, tries it, and keeps it.
func (a *app) login(ctx context.Context, place loginPlace, flags loginFlags) (token host.Secret, err error) {
	client := host.NewHTTPClient(place.insecure)
	defer client.CloseIdleConnections()
	if err := host.Visit(ctx, place.address, client); err != nil {
		return token, err
	}
	keep, err := openTokenFile(place.file)
	if err != nil {
		return token, err
	}
	defer keep.discard()
	get := a.loginByBrowser
	if flags.paste {
		get = a.loginByToken
	}
	ctx, cancel := context.WithTimeoutCause(ctx, loginTime, errLoginTime)
	defer cancel()
	var user host.User
	token, user, err = get(ctx, place.address, client, flags.browser)
	if err != nil {
		return token, err
	}
	if err = keep.commit(token); err != nil {
		return token, err
	}
	fmt.Fprintf(a.Out, "%s holds a token of %s for Home Assistant %s at %s\n", place.file, user.Name, user.Version,
		place.address)
	if !place.named {
		fmt.Fprintf(a.Out, "next: in solarhub.yaml, under host:\n  url: %s\n  token_file: %s\n", place.address,
			place.file)
	}
	return token, nil
}

// loginByToken takes a token that the person has made.
func (a *app) loginByToken(ctx context.Context, address host.Address, client *http.Client, _ bool) (host.Secret,
	host.User, error) {
	text, err := a.pasted(ctx)
	if err != nil {
		return host.Secret{}, host.User{}, err
	}
	return tryToken(ctx, address, client, text)
}

// pasted returns what a person pastes, or the first line of a pipe.
func (a *app) pasted(ctx context.Context) (string, error) {
	if p := a.person(); p != nil {
		return p.askSecret(ctx, "Long-lived access token (it is not shown)")
	}
	if a.In == nil {
		return "", usagef("--paste needs a terminal, or the token from a pipe")
	}
	scanner := bufio.NewScanner(a.In)
	scanner.Scan()
	return strings.TrimSpace(scanner.Text()), scanner.Err()
}

// tryToken returns a token if the host takes it.
func tryToken(ctx context.Context, address host.Address, client *http.Client, text string) (host.Secret, host.User,
	error) {
	if wrong := config.CheckToken(text); wrong != "" {
		return host.Secret{}, host.User{}, fmt.Errorf("the token %s", wrong)
	}
	token := host.NewSecret(text)
	user, err := host.CheckToken(ctx, address, client, token)
	return token, user, err
}

// loginByBrowser has the person log in on the host's page. The answer comes from the browser, or is pasted.
func (a *app) loginByBrowser(ctx context.Context, address host.Address, client *http.Client, open bool) (host.Secret,
	host.User, error) {
	l, err := host.NewLogin(address, client)
	if err != nil {
		return host.Secret{}, host.User{}, err
	}
	defer l.Close()
	fmt.Fprintf(a.Err, "Open this page in a browser and log in as an administrator:\n\n  %s\n\n", l.Page())
	if open {
		if err := openBrowser(ctx, l.Page()); err != nil {
			fmt.Fprintf(a.Err, "The browser did not open: %v\n", err)
		}
	}
	code, token, err := a.codeOrToken(ctx, l)
	if err != nil {
		return host.Secret{}, host.User{}, err
	}
	if token != "" {
		return tryToken(ctx, address, client, token)
	}
	machine, _ := os.Hostname()
	return l.Token(ctx, code, host.TokenName(cmp.Or(machine, "a machine without a name"), time.Now()))
}

// codeOrToken waits for whichever comes first: the browser with a code, or a person who pastes a code or a token.
func (a *app) codeOrToken(ctx context.Context, l *host.Login) (code, token string, err error) {
	p := a.person()
	if p == nil {
		code, err = l.Wait(ctx)
		return code, "", err
	}
	waiting, done := context.WithCancelCause(ctx)
	came := make(chan struct{})
	go func() { // joined below
		defer close(came)
		if code, err = l.Wait(waiting); err == nil {
			done(errBrowserCame)
		}
	}()
	fmt.Fprintln(p.out, "It goes on here by itself. If the browser ends at a page that it cannot open, paste the\n"+
		"address of that page here. You can also paste a long-lived access token. What you paste is not shown.")
	copied, token, wrong := pastedAnswer(waiting, p, l)
	done(wrong)
	<-came
	switch {
	case err == nil:
		return code, "", nil
	case wrong != nil:
		return "", "", wrong
	}
	return copied, token, nil
}

// pastedAnswer asks until a person pastes what belongs to this login.
func pastedAnswer(ctx context.Context, p *person, l *host.Login) (code, token string, err error) {
	for {
		text, err := p.askSecret(ctx, "Address or token")
		if err != nil {
			return "", "", err
		}
		if config.CheckToken(text) == "" {
			return "", text, nil
		}
		if code, err = l.Code(text); err == nil {
			return code, "", nil
		}
		fmt.Fprintf(p.out, "%v.\n", err)
	}
}

var errBrowserCame = errors.New("the browser has brought the login")

// openBrowser opens a page in the person's browser.
func openBrowser(ctx context.Context, page string) error {
	words := []string{"xdg-open", page}
	switch runtime.GOOS {
	case "darwin":
		words[0] = "open"
	case "windows":
		words = []string{"rundll32", "url.dll,FileProtocolHandler", page}
	}
	return exec.CommandContext(ctx, words[0], words[1:]...).Run()
}
