/** Says so while the browser has no network. */
export function watchConnection() {
  const banner = document.getElementById('offline');
  if (!banner) return;
  const show = () => { banner.hidden = navigator.onLine; };
  addEventListener('online', show);
  addEventListener('offline', show);
  show();
}
