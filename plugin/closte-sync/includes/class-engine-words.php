<?php
/**
 * Sentences about the engine that this plugin carries, and the notices made of them.
 *
 * They are plain text: the caller that prints one escapes it.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * What is known about the carried engine, in words.
 */
final class Engine_Words {

	/**
	 * What keeps it from its work, see `Notices`. None where Closte is switched off, as then it has none.
	 *
	 * @return array[]
	 */
	public static function notices() {
		if ( ! Carried::is_there() || ! Engine::is_switched_on() ) {
			return array();
		}
		$obstacle = Carried::obstacle();
		if ( null !== $obstacle ) {
			// Where cron or a server runs an engine, this one is not needed.
			$text = Obstacles::text( $obstacle ) . ' ' . __( 'The closte-sync page shows the line with which cron runs an engine instead.', 'closte-sync' );
			return Engine::is_heard_of() ? array() : array( self::notice( 'carried ' . $obstacle['code'], $text ) );
		}
		$runs    = Passes::runs();
		$notices = array();
		if ( 0 < $runs['failures'] ) {
			$notices[] = self::notice( 'pass-failed', self::failure( $runs ) ) + array( 'same' => wp_json_encode( $runs['last']['error'] ) );
		}
		if ( 0 === $runs['failures'] && Pass_Rules::is_given_up( Passes::detached() ) ) {
			$notices[] = self::notice( 'unheard', self::unheard() ) + array(
				'label' => self::try_again(),
				'url'   => Actions::url( Engine_Section::AGAIN ),
			);
		}
		if ( self::is_cron_off() && self::is_cron_missing() ) {
			$notices[] = self::notice( 'no-cron', self::no_cron() . ' ' . self::cron_line() );
		}
		return $notices;
	}

	/**
	 * What became of passes that failed.
	 *
	 * @param array $runs See `Passes`.
	 * @return string
	 */
	public static function failure( array $runs ) {
		$error = isset( $runs['last']['error']['what'] ) ? $runs['last']['error'] : array(
			'what' => '-',
			'hint' => '',
		);
		/* translators: 1: a time, 2: what happened. */
		$text = sprintf( __( 'No pass of the engine has succeeded since %1$s. What happened last: %2$s.', 'closte-sync' ), Words::moment( $runs['since'] ), rtrim( $error['what'], '.' ) );
		$hint = '' === $error['hint'] ? '' : ' ' . ucfirst( rtrim( $error['hint'], '.' ) ) . '.';
		return $text . $hint . ' ' . __( 'It is tried again by itself, at the latest after 15 minutes.', 'closte-sync' );
	}

	/**
	 * How the last pass went.
	 *
	 * @param array $last See `Passes`.
	 * @return string
	 */
	public static function last( array $last ) {
		if ( null === $last['seconds'] ) {
			/* translators: 1: a time, 2: such as "5 minutes". */
			return sprintf( __( 'The last pass that WP-Cron made began on %1$s, %2$s ago, and was cut short.', 'closte-sync' ), Words::moment( $last['at'] ), human_time_diff( $last['at'] ) );
		}
		/* translators: 1: a time, 2: such as "5 minutes", 3: a number. */
		$text = sprintf( __( 'The last pass that WP-Cron made ended on %1$s, %2$s ago, after %3$s seconds', 'closte-sync' ), Words::moment( $last['at'] ), human_time_diff( $last['at'] ), number_format_i18n( $last['seconds'], 1 ) );
		if ( null !== $last['cpu_ms'] && null !== $last['peak_kb'] ) {
			/* translators: 1: a number, 2: such as "23 MB". */
			$text .= sprintf( __( ', of which it used the processor for %1$s; it used at most %2$s of memory', 'closte-sync' ), number_format_i18n( $last['cpu_ms'] / 1000, 2 ), size_format( $last['peak_kb'] * KB_IN_BYTES ) );
		}
		return $text . ( null === $last['error'] ? __( '. It succeeded.', 'closte-sync' ) : __( '. It failed.', 'closte-sync' ) );
	}

	/**
	 * When the next pass is due.
	 *
	 * @return string
	 */
	public static function next() {
		$next = Passes::next();
		/* translators: %s: such as "5 minutes". */
		return $next > time() ? sprintf( __( 'The next pass is due in %s.', 'closte-sync' ), human_time_diff( time(), $next ) ) : __( 'The next pass is due now.', 'closte-sync' );
	}

	/**
	 * How often passes are made.
	 *
	 * @return string
	 */
	public static function at_rest() {
		/* translators: %d: a number. */
		return sprintf( __( 'While all domains are ready there are %d passes a day, and one after each change.', 'closte-sync' ), DAY_IN_SECONDS / Pass_Rules::REST );
	}

	/**
	 * That detached passes are not heard of.
	 *
	 * @return string
	 */
	public static function unheard() {
		return __( 'Passes that were started after a change were not heard of, twice in a row: the host seems to end what PHP leaves running. So a change now waits for the next request of WP-Cron, usually a minute or two.', 'closte-sync' );
	}

	/**
	 * The label of the button that has them tried again.
	 *
	 * @return string
	 */
	public static function try_again() {
		return __( 'Try again', 'closte-sync' );
	}

	/**
	 * Whether nobody seems to call WP-Cron: a pass is long due, and whoever had called it would have begun that.
	 *
	 * @return bool
	 */
	public static function is_cron_missing() {
		return Carried::is_able() && 0 < Passes::next() && Passes::next() + Pass_Rules::OVERDUE < time();
	}

	/**
	 * Whether WordPress does not call WP-Cron itself.
	 *
	 * @return bool
	 */
	private static function is_cron_off() {
		return defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON;
	}

	/**
	 * That nobody calls WP-Cron, without the line to add.
	 *
	 * @return string
	 */
	public static function no_cron() {
		if ( self::is_cron_off() ) {
			return __( 'DISABLE_WP_CRON is set in wp-config.php, and nobody has called WP-Cron as the user of this site since the last pass was due, so none is made. Remove that setting, or add this line to the crontab of the host:', 'closte-sync' );
		}
		return __( 'A pass has been due for more than half an hour. WordPress calls WP-Cron itself when somebody visits the network, so it should be made now: reload this page in a minute. If this is still here then, WordPress cannot reach itself (Tools > Site Health of the main site may say why): add this line to the crontab of the host:', 'closte-sync' );
	}

	/**
	 * The line that has cron call WP-Cron.
	 *
	 * @return string
	 */
	public static function cron_line() {
		return '*/5 * * * * curl -fsS -o /dev/null ' . self::quoted( get_site_url( get_main_site_id(), 'wp-cron.php?doing_wp_cron' ) );
	}

	/**
	 * The line that has cron run the engine itself.
	 *
	 * @param array $obstacle What keeps PHP from it, see `Obstacles`.
	 * @return string
	 */
	public static function engine_line( array $obstacle ) {
		$program = self::quoted( Carried::program() );
		$command = ' --wp-config ' . self::quoted( Carried::wp_config() ) . ' sync --quiet';
		if ( 'run-bit' === $obstacle['code'] ) {
			// Its folder is the obstacle. The copy is made again where the plugin was updated.
			return "*/5 * * * * install -CD -m 755 $program ~/.local/bin/closte-sync && ~/.local/bin/closte-sync$command";
		}
		return "*/5 * * * * $program$command";
	}

	/**
	 * A word as a shell that is started by cron reads it.
	 *
	 * @param string $word Any text.
	 * @return string
	 */
	public static function quoted( $word ) {
		$quoted = preg_match( '~^[A-Za-z0-9_./:=@+,-]+$~', $word ) ? $word : "'" . str_replace( "'", "'\\''", $word ) . "'";
		// To cron it is the end of a line.
		return str_replace( '%', '\\%', $quoted );
	}

	/**
	 * What limits the upload of a plugin here.
	 *
	 * @return string[]
	 */
	public static function upload_limits() {
		$limits = array(
			/* translators: 1: a size, 2: a size. */
			sprintf( __( 'PHP: upload_max_filesize is %1$s, post_max_size is %2$s.', 'closte-sync' ), ini_get( 'upload_max_filesize' ), ini_get( 'post_max_size' ) ),
		);
		if ( ! get_site_option( 'upload_space_check_disabled' ) ) {
			/* translators: 1: a size, 2: a size. */
			$limits[] = sprintf( __( 'The network (Network Admin > Settings > Upload Settings): a file may have at most %1$s, and the main site all in all %2$s.', 'closte-sync' ), size_format( KB_IN_BYTES * (int) get_site_option( 'fileupload_maxk', 1500 ) ), size_format( MB_IN_BYTES * (int) get_space_allowed() ) );
		}
		$limits[] = __( 'The web server: nginx refuses more than client_max_body_size (1 MB unless set), Apache more than LimitRequestBody.', 'closte-sync' );
		$limits[] = __( 'Where one of them is too small: unpack the zip and put the folder closte-sync into wp-content/plugins by SFTP.', 'closte-sync' );
		return $limits;
	}

	/**
	 * A notice.
	 *
	 * @param string $code Its code.
	 * @param string $text Its text.
	 * @return array
	 */
	private static function notice( $code, $text ) {
		return array(
			'code' => $code,
			'text' => $text,
		);
	}
}
