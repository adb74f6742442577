// Files that a person opens, pastes, or drops anywhere on the page.

import { byId } from "./elements.js";

export function takeFiles(onFile) {
  const input = byId("file");
  byId("open-file").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (file !== undefined) {
      onFile(file);
    }
    // The same file can be chosen again.
    input.value = "";
  });
  addEventListener("paste", ({ clipboardData }) => {
    // A text that is there as well is what is meant.
    if (clipboardData.files.length > 0 && !clipboardData.types.includes("text/plain")) {
      onFile(clipboardData.files[0]);
    }
  });
  const cover = byId("drop");
  const hasFiles = (event) => event.dataTransfer.types.includes("Files");
  addEventListener("dragenter", (event) => cover.classList.toggle("shown", hasFiles(event)));
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) {
      cover.classList.remove("shown");
    }
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) {
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    }
  });
  addEventListener("drop", (event) => {
    cover.classList.remove("shown");
    if (hasFiles(event)) {
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (file !== undefined) {
        onFile(file);
      }
    }
  });
}
