<?php
/**
 * Plugin Name: A stand-in for Ultimate Multisite
 *
 * Written from what was observed of it. A mapping is cached as a whole row, without expiry, and a
 * save writes every column of it: so a stale cache can be served, and written back.
 */

namespace {
	final class WP_Ultimo {
		const VERSION = '2.4.13';
	}

	/** Appends a line to a file that the test reads. */
	function stand_in_note(string $file, string $line): void {
		file_put_contents(WP_CONTENT_DIR . "/$file", "$line\n", FILE_APPEND);
	}

	function wu_get_domain($id) {
		return \WP_Ultimo\Models\Domain::get_by_id($id);
	}

	/** Actions wait in a file, each with its arguments by name, until `stand_in_run_queue()`. */
	function wu_enqueue_async_action($hook, $args = [], $group = '') {
		stand_in_note('queue.log', json_encode([$hook, array_keys($args), array_values($args), $group]));
		return 1;
	}

	/** Runs what waits, with the arguments in their order, as the queue does. */
	function stand_in_run_queue(): void {
		$file = WP_CONTENT_DIR . '/queue.log';
		$lines = is_file($file) ? file($file, FILE_IGNORE_NEW_LINES) : [];
		file_put_contents($file, '');
		foreach ($lines as $line) {
			[$hook, , $arguments] = json_decode($line, true);
			do_action_ref_array($hook, $arguments);
		}
	}

	function wu_log_add($handle, $message): void {
		stand_in_note("$handle.log", $message);
	}
}

namespace WP_Ultimo\Models {
	final class Domain extends Base_Model {
		const COLUMNS = ['id', 'blog_id', 'domain', 'active', 'primary_domain', 'secure', 'stage'];

		protected $id, $blog_id, $domain, $active, $primary_domain, $secure, $stage;

		private static function table(): string {
			return $GLOBALS['wpdb']->base_prefix . 'wu_domain_mappings';
		}

		public static function get_by_id($id) {
			$row = wp_cache_get($id, 'wu-domains');
			if (!$row) {
				$row = $GLOBALS['wpdb']->get_row('SELECT * FROM ' . self::table() . ' WHERE id = ' . (int) $id);
				if (!$row) {
					return false;
				}
				wp_cache_set($id, $row, 'wu-domains');
			}
			$domain = new self();
			foreach (self::COLUMNS as $name) {
				$domain->$name = $row->$name;
			}
			return $domain;
		}

		public function to_array(): array {
			return array_intersect_key(get_object_vars($this), array_flip(self::COLUMNS));
		}

		/** No wildcard, underscore or Unicode, and no punycode top-level domain. */
		private function is_valid(): bool {
			return (bool) preg_match('/^([a-z0-9-]+\.)+[a-z]+$/i', $this->domain);
		}

		public function get_id(): int {
			return (int) $this->id;
		}

		public function get_blog_id(): int {
			return (int) $this->blog_id;
		}

		public function get_domain() {
			return $this->domain;
		}

		public function get_stage() {
			return $this->stage;
		}

		public function is_active(): bool {
			return in_array($this->stage, ['done', 'done-without-ssl'], true) && $this->active;
		}

		public function is_primary_domain(): bool {
			return (bool) $this->primary_domain;
		}

		public function is_secure(): bool {
			return (bool) $this->secure;
		}

		public function set_stage($stage): void {
			$this->stage = $stage;
		}

		public function set_secure($secure): void {
			$this->secure = $secure;
		}

		public function set_primary_domain($primary): void {
			$this->primary_domain = $primary;
		}

		public function save() {
			if (!$this->skip_validation && !$this->is_valid()) {
				return new \WP_Error('domain', 'The Domain is not valid.');
			}
			$data = $this->to_array();
			$data['domain'] = strtolower($data['domain']);
			foreach (['active', 'primary_domain', 'secure'] as $switch) {
				$data[$switch] = (int) $data[$switch];
			}
			$GLOBALS['wpdb']->update(self::table(), $data, ['id' => $this->id]);
			wp_cache_flush();
			do_action('wu_domain_post_save', $data, $this, false);
			return true;
		}

		public function delete() {
			$GLOBALS['wpdb']->delete(self::table(), ['id' => $this->id]);
			wp_cache_flush();
			do_action('wu_domain_post_delete', true, $this);
			return true;
		}
	}
}

namespace WP_Ultimo\Managers {
	final class Domain_Manager {
		public function async_process_domain_stage($id, $tries = 0): void {
			stand_in_note('built-in.log', "check $id");
		}

		/** A domain that got ready becomes the primary of a site that has none. */
		public function promote($data, $domain): void {
			global $wpdb;
			$primaries = "SELECT 1 FROM {$wpdb->base_prefix}wu_domain_mappings WHERE primary_domain = 1 AND blog_id = ";
			if ($domain->get_stage() !== 'done' || $wpdb->get_var($primaries . $domain->get_blog_id())) {
				return;
			}
			$domain->set_primary_domain(true);
			$domain->save();
		}
	}

	$manager = new Domain_Manager();
	add_action('wu_async_process_domain_stage', [$manager, 'async_process_domain_stage'], 10, 2);
	add_action('wu_domain_post_save', [$manager, 'promote'], 10, 2);
}
