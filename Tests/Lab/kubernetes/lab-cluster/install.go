package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// runInstall copies the CNI plugins as calico/cni does. Each is renamed into place: the runtime may be about to start
// the old one, and a file that runs cannot be written.
func runInstall(_ context.Context, _ []string) error {
	from := environment("LAB_CNI_FROM", "/opt/cni/bin")
	to := environment("LAB_CNI_TO", "/host/opt/cni/bin")
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, entry := range entries {
		// The links among the plugins are this very program under its names.
		if !entry.Type().IsRegular() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(from, entry.Name()))
		if err != nil {
			return err
		}
		changed, err := writeAtomically(filepath.Join(to, entry.Name()), content, 0o755)
		if err != nil {
			return err
		}
		if changed {
			fmt.Println("installed", entry.Name())
		}
	}
	return nil
}

// writeAtomically leaves path with this content, whole at every moment, and says whether anything had to change.
func writeAtomically(path string, content []byte, mode os.FileMode) (changed bool, err error) {
	status, err := os.Lstat(path)
	if err == nil && status.Mode() == mode {
		if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, content) {
			return false, nil
		}
	}
	// No suffix that a reader of CNI configurations would take for one of its own.
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new")
	if err != nil {
		return false, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.Write(content); err != nil {
		return false, err
	}
	if err := file.Chmod(mode); err != nil {
		return false, err
	}
	if err := file.Sync(); err != nil {
		return false, err
	}
	return true, os.Rename(file.Name(), path)
}
