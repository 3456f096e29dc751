package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"solarhub/plugin/config"
	"solarhub/plugin/host"
)

// usualAddress is where most people's Home Assistant is (home-assistant.io, "Access your Home Assistant").
const usualAddress = "http://homeassistant.local:8123"

// setup is a conversation that sets everything up. What is done is on the disk: a second one sees it there and goes on.
type setup struct {
	*app
	person   *person
	flag     configFlag
	path     string // of the configuration, which need not be there
	insecure bool
	browser  bool

	begun   config.Begun
	address host.Address
	client  *http.Client
	token   host.Secret
}

func (a *app) initCommand() *cobra.Command {
	s := setup{app: a}
	command := &cobra.Command{
		Use:   "init",
		Short: "Set everything up in one conversation",
		Long: `Set SolarHub up by answering questions: log in to Home Assistant, put the integration there, find
the devices, write the configuration, check it, and start. Enter takes the answer in brackets.

You may leave at any time with Ctrl-C. What is done stays, and solarhub init goes on from there. Each
step is also a command of its own: login, install, scan, check and run.`,
		Example: `  solarhub init
  solarhub init --config /etc/solarhub/solarhub.yaml`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if s.person = a.person(); s.person == nil {
				return usagef("init asks questions, so it needs a terminal. Without one: solarhub login --paste, " +
					"then install, scan --write, check and run")
			}
			err := s.converse(command.Context())
			if errors.Is(err, errLeft) || err != nil && command.Context().Err() != nil {
				err = fmt.Errorf("%w; what is done stays, and solarhub init goes on from there", errLeft)
			}
			return err
		},
	}
	f := command.Flags()
	s.flag.register(f)
	f.BoolVar(&s.insecure, "insecure", false,
		"accept any certificate of Home Assistant, such as one that it signed itself; only on a network that you trust")
	f.BoolVar(&s.browser, "browser", false, "open the login page in the browser of this machine")
	return command
}

// converse goes through the steps, and then offers to start.
func (s *setup) converse(ctx context.Context) (err error) {
	if s.path, err = s.flag.find(); err != nil {
		s.path = configPlaces[0]
	}
	s.flag.path = s.path
	if s.begun, err = config.ReadBegun(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.findings(err)
		return errReported
	}
	s.insecure = s.insecure || s.begun.Insecure
	s.client = host.NewHTTPClient(s.insecure)
	defer s.client.CloseIdleConnections()
	fmt.Fprintln(s.Out,
		"You may leave at any time with Ctrl-C: what is done stays. Enter takes the answer in brackets.")
	steps := []struct {
		title string
		take  func(context.Context) error
	}{{"log in to Home Assistant", s.logIn}, {"put the integration into Home Assistant", s.integrate},
		{"find the devices", s.find}, {"check", s.check}}
	for i, step := range steps {
		fmt.Fprintf(s.Out, "\nStep %d of %d: %s\n", i+1, len(steps), step.title)
		if err := step.take(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(s.Out)
	start, err := s.person.yes(ctx, "Start SolarHub now", true)
	switch {
	case err != nil:
		return err
	case start:
		return s.serve(ctx, s.flag)
	}
	_, err = fmt.Fprintf(s.Out, "next: solarhub run --config %s\n", s.path)
	return err
}

// logIn gets a token, unless there is one that works.
func (s *setup) logIn(ctx context.Context) (err error) {
	if s.address, err = host.ParseAddress(s.begun.URL); err == nil && !s.begun.Token.IsZero() {
		user, err := host.CheckToken(ctx, s.address, s.client, s.begun.Token)
		if err == nil {
			s.token = s.begun.Token
			fmt.Fprintf(s.Out, "Done before: %s logs in as %s at %s.\n", s.path, user.Name, s.address)
			return nil
		}
		fmt.Fprintf(s.Out, "The token of before does not work: %v\n", err)
	}
	place := loginPlace{insecure: s.insecure, named: true, file: s.begun.TokenFile}
	if place.file == "" {
		place.file = filepath.Join(filepath.Dir(s.path), tokenFileName)
	}
	for {
		if err := s.askAddress(ctx); err != nil {
			return err
		}
		place.address = s.address
		s.token, err = s.login(ctx, place, loginFlags{browser: s.browser})
		switch {
		case err == nil:
			return s.keepHost(place.file)
		case errors.Is(err, errLeft) || ctx.Err() != nil:
			return err
		}
		fmt.Fprintf(s.Out, "That did not work: %v\n", err)
	}
}

// askAddress asks until a host answers at the address.
func (s *setup) askAddress(ctx context.Context) error {
	for {
		text, err := s.person.ask(ctx, "Address of Home Assistant", cmp.Or(s.begun.URL, usualAddress))
		if err != nil {
			return err
		}
		if s.address, err = host.ParseAddress(text); err == nil {
			s.begun.URL = text
			err = host.Visit(ctx, s.address, s.client)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		fmt.Fprintln(s.Out, err)
	}
}

// keepHost writes the host into the configuration.
func (s *setup) keepHost(tokenFile string) error {
	if beside, err := filepath.Rel(filepath.Dir(s.path), tokenFile); err == nil && !strings.HasPrefix(beside, "..") {
		tokenFile = beside
	}
	data, err := readOrNothing(s.path)
	if err != nil {
		return err
	}
	text, err := config.SetHost(s.path, data, s.address.String(), tokenFile, s.insecure)
	if err != nil {
		return fmt.Errorf("write the host into %s: %w\nIt belongs there under host:\n  url: %s\n  token_file: %s",
			s.path, err, s.address, tokenFile)
	}
	if err := writeConfig(s.path, data, text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s names Home Assistant and the file with the token.\n", s.path)
	return err
}
