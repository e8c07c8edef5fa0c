import { watchActions } from './actions.js';
import { watchCopyButtons } from './copy.js';
import { loadFragments } from './fragments.js';
import { watchEditors } from './editor.js';
import { watchConnection } from './connection.js';
import { followStreams } from './live.js';
import { onPageChange, watchNavigation } from './navigation.js';
import { watchPopovers } from './popovers.js';
import { watchShortcuts } from './shortcuts.js';
import { keepTimesFresh } from './times.js';
import { showThemeChoice, watchTheme } from './theme.js';

// What listens on the document is set up once; what looks at a page's content runs again for each page.
watchNavigation();
watchActions();
watchCopyButtons();
watchShortcuts();
watchTheme();
watchPopovers();
watchEditors();
watchConnection();
onPageChange(page => {
  showThemeChoice(page);
  keepTimesFresh(page);
  loadFragments(page);
  followStreams(page);
});
